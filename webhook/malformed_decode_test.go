package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// Describe may have routed the document by another value than the one that a decoder
// would use.
func TestWhatDescribeFoundMalformedIsRefusedForEveryType(t *testing.T) {
	d := &webhook.Delivery{Type: "test.greeting", Body: []byte(`{"name":"Ada"}`), Malformed: "name appears twice"}
	form := &webhook.Delivery{
		Type: "test.greeting", Header: http.Header{"Content-Type": {formType}}, Body: []byte("a=1"), Malformed: "a appears twice",
	}
	var on, onType, onForm webhook.Mux
	webhook.On(&on, func(context.Context, *webhook.Event[greeting]) error { t.Error("On calls its callback"); return nil })
	webhook.OnType(&onType, "test.greeting", func(context.Context, *webhook.Event[foreign]) error {
		t.Error("OnType calls its callback")
		return nil
	})
	webhook.OnForm(&onForm, "test.greeting", func(context.Context, *webhook.Event[url.Values]) error {
		t.Error("OnForm calls its callback")
		return nil
	})
	_, decodeErr := webhook.Decode[map[string]string](d)
	for name, err := range map[string]error{
		"On": on.Handle(t.Context(), d), "OnType": onType.Handle(t.Context(), d), "OnForm": onForm.Handle(t.Context(), form), "Decode": decodeErr,
	} {
		if !errors.Is(err, webhook.ErrMalformed) || !strings.HasSuffix(err.Error(), " appears twice") {
			t.Errorf("%s: the outcome is %v, want ErrMalformed with what Describe said", name, err)
		}
	}
}
