package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
)

// greeting is a Payload.
type greeting struct {
	Name string `json:"name"`
}

func (greeting) EventType() string { return "test.greeting" }

// checked is a Payload that is a Checker.
type checked struct{ greeting }

func (checked) EventType() string { return "test.checked" }

func (checked) Check(document []byte) error {
	if bytes.Count(document, []byte(`"name"`)) != 1 {
		return errors.New("name does not appear once")
	}
	return nil
}

// pointed has pointer methods, so it cannot be used as a Payload.
type pointed struct{ greeting }

func (*pointed) EventType() string { return "test.pointed" }

func TestPointerPayloadPanics(t *testing.T) {
	panictest.Require(t, "webhook: the payload is a pointer: use webhook_test.pointed", func() {
		webhook.On(new(webhook.Mux), func(context.Context, *webhook.Event[*pointed]) error { return nil })
	})
	panictest.Require(t, "webhook: ", func() { _, _ = webhook.Decode[*greeting](&webhook.Delivery{}) })
}

func TestOnDecodesTheDocument(t *testing.T) {
	for name, d := range map[string]*webhook.Delivery{
		"of a JSON body": {Type: "test.greeting", Body: []byte(`{"name":"Ada","more":1}`)},
		"of a form body": {
			Type:   "test.greeting",
			Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			Body:   []byte("payload=%7B%22name%22%3A%22Ada%22%7D"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				mux webhook.Mux
				got *webhook.Event[greeting]
			)
			webhook.On(&mux, func(_ context.Context, e *webhook.Event[greeting]) error { got = e; return errBoom })
			if got := mux.Handle(t.Context(), d); got != errBoom {
				t.Fatalf("the callback's error is the outcome: mux.Handle(d) = %v, want %v", got, errBoom)
			}
			if diff := cmp.Diff(greeting{"Ada"}, got.Payload); diff != "" {
				t.Fatalf("got.Payload (-want +got):\n%s", diff)
			}
			if got.Delivery != d {
				t.Fatalf("got.Delivery = %v, want %v", got.Delivery, d)
			}
			e, err := webhook.Decode[greeting](d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, e); diff != "" {
				t.Fatalf("e (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnDoesNotCallTheCallbackIfDecodingFails(t *testing.T) {
	for name, d := range map[string]*webhook.Delivery{
		"no document":              {Type: "test.greeting"},
		"not JSON":                 {Type: "test.greeting", Body: []byte("hello")},
		"more than one document":   {Type: "test.greeting", Body: []byte(`{"name":"a"}{"name":"b"}`)},
		"another type":             {Type: "test.greeting", Body: []byte(`{"name":7}`)},
		"the null document":        {Type: "test.greeting", Body: []byte(" null ")},
		"a form without a payload": {Type: "test.greeting", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte("a=b")},
		"refused by Check, twice":  {Type: "test.checked", Body: []byte(`{"name":"a","name":"b"}`)},
		"refused by Check, never":  {Type: "test.checked", Body: []byte(`{}`)},
	} {
		t.Run(name, func(t *testing.T) {
			var mux webhook.Mux
			webhook.On(&mux, func(context.Context, *webhook.Event[greeting]) error { t.Error("called"); return nil })
			webhook.On(&mux, func(context.Context, *webhook.Event[checked]) error { t.Error("called"); return nil })
			if err := mux.Handle(t.Context(), d); !errors.Is(err, webhook.ErrMalformed) {
				t.Fatalf("mux.Handle(d) = %v, want %v", err, webhook.ErrMalformed)
			}
		})
	}
}

func TestCheckSeesTheDocumentOfAForm(t *testing.T) {
	d := &webhook.Delivery{
		Type:   "test.checked",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte("payload=%7B%22name%22%3A%22Ada%22%7D"),
	}
	e, err := webhook.Decode[checked](d)
	if err != nil {
		t.Fatal(err)
	}
	if e.Payload.Name != "Ada" {
		t.Fatalf("e.Payload.Name = %q, want \"Ada\"", e.Payload.Name)
	}
}

func TestMuxDecodeReplacesTheDecoder(t *testing.T) {
	mux := webhook.Mux{Decode: func(document []byte, v any) error {
		strict := json.NewDecoder(bytes.NewReader(document))
		strict.DisallowUnknownFields()
		return strict.Decode(v)
	}}
	var got []greeting
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[greeting]) error {
		got = append(got, e.Payload)
		return nil
	})
	d := func(body string) *webhook.Delivery {
		return &webhook.Delivery{Type: "test.greeting", Body: []byte(body)}
	}
	if err := mux.Handle(t.Context(), d(`{"name":"Ada"}`)); err != nil {
		t.Fatal(err)
	}
	if err := mux.Handle(t.Context(), d(`{"name":"Ada","more":1}`)); !errors.Is(err, webhook.ErrMalformed) {
		t.Fatalf("mux.Handle(...) = %v, want %v", err, webhook.ErrMalformed)
	}
	if diff := cmp.Diff([]greeting{{"Ada"}}, got); diff != "" {
		t.Error(diff)
	}
	_, err := webhook.Decode[greeting](d(`{"name":"Ada","more":1}`))
	if err != nil {
		t.Fatalf("Decode itself is not replaced: %v", err)
	}
}

// nameless is a Payload with an empty type.
type nameless struct{ greeting }

func (nameless) EventType() string { return "" }

func TestOnNamesAPayloadWithAnEmptyType(t *testing.T) {
	panictest.Require(t, "webhook: On: EventType of webhook_test.nameless returns an empty type", func() {
		webhook.On(new(webhook.Mux), func(context.Context, *webhook.Event[nameless]) error { return nil })
	})
}
