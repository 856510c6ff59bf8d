package webhook_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestRecoverContainsPanics(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		text  string
	}{
		{"with a string", "out of range", "out of range"},
		{"with an error", errBoom, "boom"},
		{"with the error of a success", webhook.ErrDuplicate, webhook.ErrDuplicate.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := webhook.Recover(webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { panic(test.value) }))
			err := h.Handle(t.Context(), &webhook.Delivery{})
			if !errors.Is(err, webhook.ErrPanic) {
				t.Fatalf("error = %v, want %v", err, webhook.ErrPanic)
			}
			if errors.Is(err, webhook.ErrDuplicate) {
				t.Fatalf("error = %v, want not %v", err, webhook.ErrDuplicate)
			}
			contained, ok := errors.AsType[*webhook.PanicError](err)
			if !ok {
				t.Fatal("ok = false, want true")
			}
			if contained.Value != test.value {
				t.Fatalf("contained.Value = %v, want %v", contained.Value, test.value)
			}
			if !strings.Contains(string(contained.Stack), "handler_test.go") {
				t.Fatalf("string(contained.Stack) = %q, want it to contain \"handler_test.go\"", string(contained.Stack))
			}
			if got := err.Error(); !strings.Contains(got, test.text) {
				t.Fatalf("err.Error() = %q, want it to contain %q", got, test.text)
			}
			if got := err.Error(); strings.Contains(got, "handler_test.go") {
				t.Fatalf("err.Error() = %q, want it not to contain \"handler_test.go\"", got)
			}
		})
	}
	t.Run("and nothing else", func(t *testing.T) {
		h := webhook.Recover(webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return errBoom }))
		if got := h.Handle(t.Context(), &webhook.Delivery{}); got != errBoom {
			t.Fatalf("h.Handle(&webhook.Delivery{}) = %v, want %v", got, errBoom)
		}
	})
}

func TestTimeoutEndsTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := webhook.Timeout(time.Minute, webhook.HandlerFunc(blockUntilDone))
		begun := time.Now()
		if err := h.Handle(t.Context(), &webhook.Delivery{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("h.Handle(&webhook.Delivery{}) = %v, want %v", err, context.DeadlineExceeded)
		}
		if got := time.Since(begun); got != time.Minute {
			t.Fatalf("time.Since(begun) = %v, want %v", got, time.Minute)
		}
	})
}

func TestWrappersForwardTypes(t *testing.T) {
	var mux webhook.Mux
	mux.Route("b", webhook.HandlerFunc(succeed))
	mux.Route("a", webhook.HandlerFunc(succeed))
	for name, test := range map[string]struct {
		h    webhook.Handler
		want []string
	}{
		"Recover of a Mux":    {webhook.Recover(&mux), []string{"a", "b"}},
		"Timeout of a Mux":    {webhook.Timeout(time.Second, &mux), []string{"a", "b"}},
		"both of a Mux":       {webhook.Recover(webhook.Timeout(time.Second, &mux)), []string{"a", "b"}},
		"Recover of a func":   {webhook.Recover(webhook.HandlerFunc(succeed)), nil},
		"Timeout of no route": {webhook.Timeout(time.Second, &webhook.Mux{}), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			r, ok := test.h.(webhook.Router)
			if !ok {
				t.Fatal("ok = false, want true")
			}
			if diff := cmp.Diff(test.want, r.Types()); diff != "" {
				t.Fatalf("r.Types() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStore(t *testing.T) {
	t.Run("nil means stored", func(t *testing.T) {
		in := &webhook.MemInbox{}
		if err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "a"}); err != nil {
			t.Fatal(err)
		}
		if got := counts(t, in)[webhook.Waiting]; got != 1 {
			t.Fatalf("counts(in)[webhook.Waiting] = %d, want 1", got)
		}
	})
	t.Run("a duplicate is returned as it is", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := &webhook.Delivery{UID: "a"}
		if err := in.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		err := webhook.Store(in).Handle(t.Context(), d)
		known, ok := errors.AsType[*webhook.DuplicateError](err)
		if !ok {
			t.Fatal("ok = false, want true")
		}
		if diff := cmp.Diff(webhook.DuplicateError{UID: "a", State: webhook.Waiting}, *known); diff != "" {
			t.Fatalf("*known (-want +got):\n%s", diff)
		}
		if errors.Is(err, webhook.ErrNotStored) {
			t.Fatalf("error = %v, want not %v", err, webhook.ErrNotStored)
		}
	})
	t.Run("so is a panic of the inbox", func(t *testing.T) {
		in := putFunc(func() error { panic("boom") })
		err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "a"})
		if !errors.Is(err, webhook.ErrNotStored) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrNotStored)
		}
		if !errors.Is(err, webhook.ErrPanic) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrPanic)
		}
		if got := webhook.StatusCode(err); got != http.StatusServiceUnavailable {
			t.Fatalf("webhook.StatusCode(err) = %d, want %d", got, http.StatusServiceUnavailable)
		}
	})
	t.Run("a duplicate beside a failure is a failure", func(t *testing.T) {
		in := putFunc(func() error { return errors.Join(&webhook.DuplicateError{UID: "a"}, io.EOF) })
		if err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "a"}); !errors.Is(err, webhook.ErrNotStored) {
			t.Fatalf(`webhook.Store(in).Handle(&webhook.Delivery{UID: "a"}) = %v, want %v`, err, webhook.ErrNotStored)
		}
	})
	t.Run("every other failure is ErrNotStored and keeps its cause", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 1}
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "a"}); err != nil {
			t.Fatal(err)
		}
		err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "b"})
		if !errors.Is(err, webhook.ErrNotStored) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrNotStored)
		}
		if !errors.Is(err, webhook.ErrOverloaded) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrOverloaded)
		}
	})
}

func TestWrappersPanicOnMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"Recover of nil":         func() { webhook.Recover(nil) },
		"Timeout of nil":         func() { webhook.Timeout(time.Second, nil) },
		"Timeout of no duration": func() { webhook.Timeout(0, webhook.HandlerFunc(succeed)) },
		"Store without an inbox": func() { webhook.Store(nil) },
	} {
		t.Run(name, func(t *testing.T) { panictest.Require(t, "webhook: ", f) })
	}
}

func TestWrapForwardsTypes(t *testing.T) {
	var mux webhook.Mux
	mux.Route("a", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return errors.New("from a") }))
	around := 0
	h := webhook.Wrap(&mux, func(ctx context.Context, next webhook.Handler, d *webhook.Delivery) error {
		around++
		return next.Handle(ctx, d)
	})
	if err := h.Handle(t.Context(), &webhook.Delivery{Type: "a"}); err == nil || err.Error() != "from a" {
		t.Fatalf("error = %v, want \"from a\"", err)
	}
	if around != 1 {
		t.Fatalf("around = %d, want 1", around)
	}
	if diff := cmp.Diff([]string{"a"}, h.(webhook.Router).Types()); diff != "" {
		t.Fatalf("h.(webhook.Router).Types() (-want +got):\n%s", diff)
	}
	panictest.Require(t, "webhook: Wrap", func() { webhook.Wrap(nil, nil) })
	panictest.Require(t, "webhook: Wrap", func() { webhook.Wrap(&mux, nil) })
}

// putFunc is an inbox whose Put returns the result of the func.
type putFunc func() error

func (putFunc) Claim(context.Context, webhook.ClaimOptions) ([]webhook.Claim, error) { return nil, nil }
func (putFunc) Extend(context.Context, webhook.Claim, time.Duration) error           { return nil }
func (putFunc) Begin(_ context.Context, c webhook.Claim) (webhook.Claim, error)      { return c, nil }
func (putFunc) Settle(_ context.Context, _ webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	return o.State, nil
}
func (f putFunc) Put(context.Context, *webhook.Delivery) error { return f() }
