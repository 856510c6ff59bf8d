package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/webhook"
)

// A lenientPayload takes every document.
type lenientPayload map[string]any

func (lenientPayload) EventType() string { return "acme.push" }

// malformedSource describes every call as malformed, although its body decodes.
func malformedSource(why error) webhook.Source {
	return sourceOf(webhook.Description{Type: "acme.push", Malformed: why})
}

func postJSON() *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"ref":"a"}`))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func TestWhatDescribeFoundMalformedIsNotDecoded(t *testing.T) {
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.Event[lenientPayload]) error {
		t.Error("the callback ran")
		return nil
	})
	d, err := malformedSource(errors.New("ref twice")).Open(postJSON(), []byte(`{"ref":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	if d.Malformed != "ref twice" {
		t.Errorf("Malformed is %q", d.Malformed)
	}
	if _, err := webhook.Decode[lenientPayload](d); !errors.Is(err, webhook.ErrMalformed) || !strings.Contains(err.Error(), "ref twice") {
		t.Errorf("Decode returned %v, want ErrMalformed and why", err)
	}
	if err := mux.Handle(t.Context(), d); !errors.Is(err, webhook.ErrMalformed) {
		t.Errorf("On returned %v, want ErrMalformed", err)
	}
}

func TestAMalformedDeliveryIsAnswered400WithoutAnInbox(t *testing.T) {
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.Event[lenientPayload]) error { return nil })
	receiver := webhook.NewReceiver(malformedSource(errors.New("ref twice")), &mux)
	receiver.Logger = quiet
	w := httptest.NewRecorder()
	receiver.ServeHTTP(w, postJSON())
	if w.Code != http.StatusBadRequest {
		t.Errorf("answered %d, want 400", w.Code)
	}
}

func TestMiddlewarePassesOnWhatIsMalformed(t *testing.T) {
	called := false
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called = true
		d, _ := webhook.DeliveryFromContext(r.Context())
		if _, err := webhook.Decode[lenientPayload](d); !errors.Is(err, webhook.ErrMalformed) {
			t.Errorf("Decode returned %v, want ErrMalformed", err)
		}
	})
	malformedSource(errors.New("ref twice")).Middleware(next).ServeHTTP(httptest.NewRecorder(), postJSON())
	if !called {
		t.Error("next was not called")
	}
}

func TestAnUntypedHandlerGetsWhatIsMalformed(t *testing.T) {
	inbox := new(webhook.MemInbox)
	d, err := malformedSource(errors.New("ref twice")).Open(postJSON(), []byte(`{"ref":"a"}`))
	if err == nil {
		err = inbox.Put(t.Context(), d)
	}
	if err != nil {
		t.Fatal(err)
	}
	claims, err := inbox.Claim(t.Context(), webhook.ClaimOptions{})
	if err != nil || len(claims) != 1 {
		t.Fatalf("%d claims, %v", len(claims), err)
	}
	var mux webhook.Mux
	got := ""
	mux.Route("acme.push", webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
		got = d.Malformed
		return nil
	}))
	if err := mux.Handle(t.Context(), claims[0].Delivery); err != nil || got != "ref twice" {
		t.Errorf("the handler got %q, %v", got, err)
	}
}

func TestMalformedIsBoundedText(t *testing.T) {
	for name, test := range map[string]struct {
		why  error
		want string // how it begins
	}{
		"nothing":       {nil, ""},
		"an empty text": {errors.New(""), "malformed"},
		"bytes":         {errors.New("a\x00\xff"), "a\uFFFD\uFFFD"},
		"a long text":   {errors.New(strings.Repeat("\u00e4", 4096)), "\u00e4"},
		"a panic":       {panicsInError{}, "webhook: handler panicked"},
	} {
		d, err := malformedSource(test.why).Open(postJSON(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Malformed; !strings.HasPrefix(got, test.want) || got == "" && test.want != "" || len(got) > 4<<10 || !utf8.ValidString(got) {
			t.Errorf("%s: got %d bytes, %.40q, want %q", name, len(got), got, test.want)
		}
	}
}

type panicsInError struct{}

func (panicsInError) Error() string { panic("no text") }
