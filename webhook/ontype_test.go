package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
)

// foreign is a struct that knows nothing of this package.
type foreign struct {
	Name *string `json:"name,omitempty"`
}

// guarded is a Checker that is no Payload.
type guarded foreign

func (*guarded) Check(document []byte) error { return checked{}.Check(document) }

// decoded returns what a callback of OnType gets for a body, or the outcome.
func decoded[T any](t *testing.T, body string) (got T, err error) {
	t.Helper()
	var mux webhook.Mux
	called := false
	webhook.OnType(&mux, "test.any", func(_ context.Context, e *webhook.Event[T]) error {
		got, called = e.Payload, true
		return nil
	})
	d := &webhook.Delivery{Type: "test.any", Body: []byte(body)}
	err = mux.Handle(t.Context(), d)
	if called != (err == nil) {
		t.Errorf("the callback ran: %v, and the outcome is %v", called, err)
	}
	e, decodeErr := webhook.Decode[T](d)
	if (decodeErr == nil) != (err == nil) || err != nil && decodeErr.Error() != err.Error() {
		t.Errorf("Decode returns %v, the outcome is %v", decodeErr, err)
	}
	if err == nil {
		if diff := cmp.Diff(got, e.Payload); diff != "" {
			t.Errorf("Decode and OnType differ (-OnType +Decode):\n%s", diff)
		}
	}
	return got, err
}

func TestOnTypeDecodesIntoAnyType(t *testing.T) {
	const body = `{"name":"Ada"}`
	ada := "Ada"
	t.Run("a struct of another package", func(t *testing.T) { wantPayload(t, body, foreign{&ada}) })
	t.Run("a Payload", func(t *testing.T) { wantPayload(t, body, greeting{"Ada"}) })
	t.Run("a Checker", func(t *testing.T) { wantPayload(t, body, guarded{&ada}) })
	t.Run("a map", func(t *testing.T) { wantPayload(t, body, map[string]string{"name": "Ada"}) })
	t.Run("any", func(t *testing.T) { wantPayload[any](t, body, map[string]any{"name": "Ada"}) })
	t.Run("raw JSON", func(t *testing.T) { wantPayload(t, body, json.RawMessage(body)) })
}

func wantPayload[T any](t *testing.T, body string, want T) {
	t.Helper()
	got, err := decoded[T](t, body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
}

func TestOnTypeRefusesWhatItCannotDecode(t *testing.T) {
	refused := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, webhook.ErrMalformed) || !strings.HasPrefix(err.Error(), "test.any: ") {
			t.Errorf("%s: the outcome is %v, want ErrMalformed with the type", name, err)
		}
	}
	_, err := decoded[foreign](t, `{"name":7}`)
	refused("another type", err)
	_, err = decoded[foreign](t, "null")
	refused("null", err)
	_, err = decoded[map[string]any](t, "null")
	refused("null for a map", err)
	_, err = decoded[foreign](t, "")
	refused("no document", err)
	_, err = decoded[guarded](t, `{"name":"a","name":"b"}`)
	refused("refused by Check", err)
}

// A type is registered once, whichever func registers it.
func TestOnTypePanicsOnMisuse(t *testing.T) {
	callback := func(context.Context, *webhook.Event[foreign]) error { return nil }
	for text, f := range map[string]func(m *webhook.Mux){
		"webhook: the callback for a is nil":             func(m *webhook.Mux) { webhook.OnType[foreign](m, "a", nil) },
		"webhook: the callback for b is nil":             func(m *webhook.Mux) { webhook.OnForm(m, "b", nil) },
		"webhook: the callback for test.greeting is nil": func(m *webhook.Mux) { webhook.On[greeting](m, nil) },
		"webhook: Mux.Route needs a type":                func(m *webhook.Mux) { webhook.OnType(m, "", callback) },
		"webhook: a second handler for test.greeting":    func(m *webhook.Mux) { onGreeting(m); webhook.OnType(m, "test.greeting", callback) },
		"webhook: the payload is a pointer: use webhook_test.foreign": func(m *webhook.Mux) {
			webhook.OnType(m, "a", func(context.Context, *webhook.Event[*foreign]) error { return nil })
		},
		"webhook: the payload is the interface webhook.Payload: use a struct": func(m *webhook.Mux) {
			webhook.On(m, func(context.Context, *webhook.Event[webhook.Payload]) error { return nil })
		},
	} {
		t.Run(text, func(t *testing.T) { panictest.Require(t, text, func() { f(&webhook.Mux{}) }) })
	}
}

func onGreeting(m *webhook.Mux) {
	webhook.On(m, func(context.Context, *webhook.Event[greeting]) error { return nil })
}
