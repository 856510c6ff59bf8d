package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

// A hollow is the error of `var e *hollow; return e`: it is not nil, and
// its methods panic.
type hollow struct{ err error }

func (e *hollow) Error() string { return e.err.Error() }
func (e *hollow) Unwrap() error { return e.err }

// Each of these panics in one method.
type (
	hollowIs     struct{ *hollow }
	hollowAs     struct{ *hollow }
	hollowUnwrap struct{ *hollow }
)

func (hollowIs) Error() string     { return "is" }
func (hollowIs) Unwrap() error     { return nil }
func (e hollowIs) Is(error) bool   { return e.err != nil }
func (hollowAs) Error() string     { return "as" }
func (hollowAs) Unwrap() error     { return nil }
func (e hollowAs) As(any) bool     { return e.err != nil }
func (hollowUnwrap) Error() string { return "unwrap" }

// brittle are errors with methods that panic.
var brittle = map[string]error{
	"a typed nil":                    (*hollow)(nil),
	"a typed nil inside":             fmt.Errorf("deploy: %w", error(hollowUnwrap{})),
	"Is":                             hollowIs{},
	"As":                             hollowAs{},
	"Error":                          speechless{},
	"a joined one":                   errors.Join(io.EOF, hollowUnwrap{}),
	"a permanent one":                webhook.Permanent(hollowIs{}),
	"one to be tried later":          webhook.RetryAfter(time.Hour, hollowUnwrap{}),
	"a typed nil of this package":    (*webhook.DuplicateError)(nil),
	"one that wraps such a nil":      fmt.Errorf("known: %w", (*webhook.DuplicateError)(nil)),
	"a typed nil panic of this kind": (*webhook.PanicError)(nil),
}

func TestPromise8_AnErrorThatPanicsIsAPanic(t *testing.T) {
	for name, err := range brittle {
		synctestRun(t, name+", in a Worker", func(t *testing.T) {
			in := &webhook.MemInbox{}
			w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				if c, _ := webhook.ClaimFromContext(ctx); c.Attempt > 1 {
					return nil
				}
				return err
			}))
			d := putDelivery(t, in, "a", nil)
			stop := start(t, w)
			advance(time.Minute)
			stop()
			require.Equal(t, []webhook.State{webhook.Waiting, webhook.Done}, j.states())
			require.Contains(t, j.settled[0].Reason, webhook.ErrPanic.Error())
			require.Equal(t, webhook.Done, stateOf(t, in, d))
		})
		t.Run(name+", in a Receiver", func(t *testing.T) {
			src := recvSource()
			rc := webhook.NewReceiver(src, recvFails(err))
			var log *recvLog
			rc.Logger, log = recvLogger()
			var observed error
			rc.Observer = &webhook.Observer{Received: func(_ *webhook.Delivery, err error, _ time.Duration) { observed = err }}
			w := recvServe(rc, recvRequest(t, src, "{}"))
			require.Equal(t, http.StatusInternalServerError, w.Code)
			require.Len(t, log.lines(t), 1)
			require.Contains(t, log.String(), webhook.ErrPanic.Error())
			require.ErrorIs(t, observed, webhook.ErrPanic)
		})
		t.Run(name+", in Recover", func(t *testing.T) {
			require.ErrorIs(t, webhook.Recover(recvFails(err)).Handle(t.Context(), &webhook.Delivery{}), webhook.ErrPanic)
		})
		t.Run(name+", of Describe", func(t *testing.T) {
			src := recvSource()
			src.Describe = func(*http.Request, []byte) webhook.Description {
				return webhook.Description{Type: "acme.push", Malformed: err}
			}
			rc := webhook.NewReceiver(src, recvOK)
			var log *recvLog
			rc.Logger, log = recvLogger()
			require.Equal(t, http.StatusAccepted, recvServe(rc, recvRequest(t, src, "{}")).Code)
			require.Contains(t, log.String(), "malformed delivery accepted")
		})
	}
}

func TestPromise8_AnErrorThatPanicsTheSecondTimeIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return &wearsOut{} }))
		w.MaxAttempts = 1
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Equal(t, []webhook.State{webhook.Dead}, j.states())
		require.Equal(t, "once", j.last().Reason)
	})
}

// wearsOut returns its text once and then panics.
type wearsOut struct{ asked atomic.Int64 }

func (e *wearsOut) Error() string {
	if e.asked.Add(1) > 1 {
		panic("no more words")
	}
	return "once"
}

func TestPromise8_APanicOfAnInboxIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		now := func(context.Context) error {
			if calls.Add(1)%2 == 1 {
				panic("inbox")
			}
			return nil
		}
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: now, onExtend: now, onSettle: now}
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { work(time.Minute); return nil }))
		d := putDelivery(t, in.MemInbox, "a", nil)
		stop := start(t, w)
		advance(2 * time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in.MemInbox, d))
	})
}

func TestPromise8_ARouterWhoseTypesPanicEndsRunWithAnError(t *testing.T) {
	w := webhook.NewWorker(&webhook.MemInbox{}, brokenRouter{})
	require.ErrorIs(t, w.Run(t.Context()), webhook.ErrPanic)
}

type brokenRouter struct{ webhook.HandlerFunc }

func (brokenRouter) Types() []string { panic("types") }

func TestPromise8_AHandlerThatEndsItsGoroutineIsAnswered(t *testing.T) {
	src := recvSource()
	rc := webhook.NewReceiver(src, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
		runtime.Goexit()
		return nil
	}))
	var log *recvLog
	rc.Logger, log = recvLogger()
	var observed error
	rc.Observer = &webhook.Observer{Received: func(_ *webhook.Delivery, err error, _ time.Duration) { observed = err }}
	server := httptest.NewServer(rc)
	defer server.Close()
	r := recvRequest(t, src, "{}")
	call, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, r.Body)
	require.NoError(t, err)
	call.Header = r.Header
	res, err := server.Client().Do(call)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
	require.Len(t, log.lines(t), 1)
	require.ErrorIs(t, observed, webhook.ErrPanic)
}

func TestIsDuplicate(t *testing.T) {
	known := &webhook.DuplicateError{UID: "a"}
	require.True(t, webhook.IsDuplicate(known))
	require.True(t, webhook.IsDuplicate(fmt.Errorf("again: %w", known)))
	require.True(t, webhook.IsDuplicate(errors.Join(known, webhook.ErrDuplicate)))
	require.False(t, webhook.IsDuplicate(errors.Join(known, io.EOF)))
	require.False(t, webhook.IsDuplicate(nil))
}
