package webhook_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
			require.ErrorIs(t, err, webhook.ErrPanic)
			require.NotErrorIs(t, err, webhook.ErrDuplicate)
			contained, ok := errors.AsType[*webhook.PanicError](err)
			require.True(t, ok)
			require.Equal(t, test.value, contained.Value)
			require.Contains(t, string(contained.Stack), "handler_test.go")
			require.Contains(t, err.Error(), test.text)
			require.NotContains(t, err.Error(), "handler_test.go")
		})
	}
	t.Run("and nothing else", func(t *testing.T) {
		h := webhook.Recover(webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return errBoom }))
		require.Same(t, errBoom, h.Handle(t.Context(), &webhook.Delivery{}))
	})
}

func TestTimeoutEndsTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := webhook.Timeout(time.Minute, webhook.HandlerFunc(blockUntilDone))
		begun := time.Now()
		require.ErrorIs(t, h.Handle(t.Context(), &webhook.Delivery{}), context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(begun))
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
			require.True(t, ok)
			require.Equal(t, test.want, r.Types())
		})
	}
}

func TestStore(t *testing.T) {
	t.Run("nil means stored", func(t *testing.T) {
		in := &webhook.MemInbox{}
		require.NoError(t, webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "a"}))
		require.Equal(t, 1, counts(t, in)[webhook.Waiting])
	})
	t.Run("a duplicate is returned as it is", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := &webhook.Delivery{UID: "a"}
		require.NoError(t, in.Put(t.Context(), d))
		err := webhook.Store(in).Handle(t.Context(), d)
		known, ok := errors.AsType[*webhook.DuplicateError](err)
		require.True(t, ok)
		require.Equal(t, webhook.DuplicateError{UID: "a", State: webhook.Waiting}, *known)
		require.NotErrorIs(t, err, webhook.ErrNotStored)
	})
	t.Run("so is a panic of the inbox", func(t *testing.T) {
		in := putFunc(func() error { panic("boom") })
		err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "a"})
		require.ErrorIs(t, err, webhook.ErrNotStored)
		require.ErrorIs(t, err, webhook.ErrPanic)
		require.Equal(t, http.StatusServiceUnavailable, webhook.StatusCode(err))
	})
	t.Run("a duplicate beside a failure is a failure", func(t *testing.T) {
		in := putFunc(func() error { return errors.Join(&webhook.DuplicateError{UID: "a"}, io.EOF) })
		require.ErrorIs(t, webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "a"}), webhook.ErrNotStored)
	})
	t.Run("every other failure is ErrNotStored and keeps its cause", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 1}
		require.NoError(t, in.Put(t.Context(), &webhook.Delivery{UID: "a"}))
		err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "b"})
		require.ErrorIs(t, err, webhook.ErrNotStored)
		require.ErrorIs(t, err, webhook.ErrOverloaded)
	})
}

func TestWrappersPanicOnMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"Recover of nil":         func() { webhook.Recover(nil) },
		"Timeout of nil":         func() { webhook.Timeout(time.Second, nil) },
		"Timeout of no duration": func() { webhook.Timeout(0, webhook.HandlerFunc(succeed)) },
		"Store without an inbox": func() { webhook.Store(nil) },
	} {
		t.Run(name, func(t *testing.T) { require.Panics(t, f) })
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
	require.EqualError(t, h.Handle(t.Context(), &webhook.Delivery{Type: "a"}), "from a")
	require.Equal(t, 1, around)
	require.Equal(t, []string{"a"}, h.(webhook.Router).Types())
	require.Panics(t, func() { webhook.Wrap(nil, nil) })
	require.Panics(t, func() { webhook.Wrap(&mux, nil) })
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
