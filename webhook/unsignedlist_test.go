package webhook_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestAListOfAMemInboxSaysWhatIsNotSigned(t *testing.T) {
	var inbox webhook.MemInbox
	for _, why := range []string{"", "read from an API", ""} {
		d := webhook.NewDelivery("shop", "shop.order", "key", []byte("{}"))
		d.Unsigned = why
		if err := inbox.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		filter webhook.Filter
		want   []string
	}{
		{webhook.Filter{Unsigned: true}, []string{"", "read from an API", ""}},
		{webhook.Filter{Bodies: true}, []string{"", "read from an API", ""}},
		{webhook.Filter{}, []string{"", "", ""}},
	} {
		var got []string
		for r, err := range inbox.All(t.Context(), tt.filter) {
			if err != nil {
				t.Fatal(err)
			}
			if hasBody := r.Delivery.Body != nil; hasBody != tt.filter.Bodies {
				t.Errorf("%+v: with a body: %t", tt.filter, hasBody)
			}
			got = append(got, r.Delivery.Unsigned)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%+v: -want +got\n%s", tt.filter, d)
		}
	}
}
