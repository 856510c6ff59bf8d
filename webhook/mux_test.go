package webhook_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestMuxRoutesByType(t *testing.T) {
	note := func(text string) webhook.Handler {
		return webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return errors.New(text) })
	}
	routed := func(m *webhook.Mux) *webhook.Mux {
		m.Route("a", note("route a"))
		m.Route("b", note("route b"))
		return m
	}
	for _, test := range []struct {
		name, typ string
		mux       *webhook.Mux
		text      string // set by the Handler that ran
		is        error
	}{
		{"to the handler of the type", "b", routed(&webhook.Mux{}), "route b", nil},
		{"to no handler", "c", routed(&webhook.Mux{}), "", webhook.ErrNoHandler},
		{"to none of a zero Mux", "a", &webhook.Mux{}, "", webhook.ErrNoHandler},
		{"to Default", "c", routed(&webhook.Mux{Default: note("default")}), "default", nil},
		{"to Default before IgnoreUnhandled", "c", routed(&webhook.Mux{Default: note("default"), IgnoreUnhandled: true}), "default", nil},
		{"past Default where there is a route", "a", routed(&webhook.Mux{Default: note("default")}), "route a", nil},
		{"to ErrIgnored with IgnoreUnhandled", "c", routed(&webhook.Mux{IgnoreUnhandled: true}), "", webhook.ErrIgnored},
		{"not by case", "A", routed(&webhook.Mux{}), "", webhook.ErrNoHandler},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.mux.Handle(t.Context(), &webhook.Delivery{Type: test.typ})
			if test.is != nil {
				if !errors.Is(err, test.is) {
					t.Fatalf("error = %v, want %v", err, test.is)
				}
				return
			}
			if err == nil || err.Error() != test.text {
				t.Fatalf("error = %v, want %q", err, test.text)
			}
		})
	}
}

func TestMuxTypes(t *testing.T) {
	h := webhook.HandlerFunc(succeed)
	var mux webhook.Mux
	if diff := cmp.Diff([]string{}, mux.Types()); diff != "" {
		t.Fatalf("none, which is not all: mux.Types() (-want +got):\n%s", diff)
	}
	mux.Route("b", h)
	mux.Route("a", h)
	if diff := cmp.Diff([]string{"a", "b"}, mux.Types()); diff != "" {
		t.Fatalf("mux.Types() (-want +got):\n%s", diff)
	}
	if got := (&webhook.Mux{Default: h}).Types(); got != nil {
		t.Fatalf("(&webhook.Mux{Default: h}).Types() = %v, want nil", got)
	}
	if got := (&webhook.Mux{IgnoreUnhandled: true}).Types(); got != nil {
		t.Fatalf("(&webhook.Mux{IgnoreUnhandled: true}).Types() = %v, want nil", got)
	}
}

func TestMuxPanicsOnMisuse(t *testing.T) {
	h := webhook.HandlerFunc(succeed)
	for name, f := range map[string]func(m *webhook.Mux){
		"a second handler for a type": func(m *webhook.Mux) { m.Route("a", h); m.Route("a", h) },
		"an empty type":               func(m *webhook.Mux) { m.Route("", h) },
		"a nil handler":               func(m *webhook.Mux) { m.Route("a", nil) },
		"a nil callback":              func(m *webhook.Mux) { webhook.On[greeting](m, nil) },
		"a second callback for a type": func(m *webhook.Mux) {
			m.Route("test.greeting", h)
			webhook.On(m, func(context.Context, *webhook.Event[greeting]) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) { panictest.Require(t, "webhook: ", func() { f(&webhook.Mux{}) }) })
	}
}
