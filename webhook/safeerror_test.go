package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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
			if diff := cmp.Diff([]webhook.State{webhook.Waiting, webhook.Done}, j.states()); diff != "" {
				t.Fatalf("j.states() (-want +got):\n%s", diff)
			}
			if !strings.Contains(j.settled[0].Reason, webhook.ErrPanic.Error()) {
				t.Fatalf("j.settled[0].Reason = %q, want it to contain %q", j.settled[0].Reason, webhook.ErrPanic.Error())
			}
			if got := stateOf(t, in, d); got != webhook.Done {
				t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
			}
		})
		t.Run(name+", in a Receiver", func(t *testing.T) {
			src := recvSource()
			rc := webhook.NewReceiver(src, recvFails(err))
			var log *recvLog
			rc.Logger, log = recvLogger()
			var observed error
			rc.Observer = &webhook.Observer{Received: func(_ context.Context, _ *webhook.Delivery, err error, _ time.Duration) { observed = err }}
			w := recvServe(rc, recvRequest(t, src, "{}"))
			if w.Code != http.StatusInternalServerError {
				t.Fatalf("w.Code = %d, want %d", w.Code, http.StatusInternalServerError)
			}
			if got := log.lines(t); len(got) != 1 {
				t.Fatalf("len(log.lines()) = %d, want 1: %v", len(got), got)
			}
			if got := log.String(); !strings.Contains(got, webhook.ErrPanic.Error()) {
				t.Fatalf("log.String() = %q, want it to contain %q", got, webhook.ErrPanic.Error())
			}
			if !errors.Is(observed, webhook.ErrPanic) {
				t.Fatalf("observed = %v, want %v", observed, webhook.ErrPanic)
			}
		})
		t.Run(name+", in Recover", func(t *testing.T) {
			if err := webhook.Recover(recvFails(err)).Handle(t.Context(), &webhook.Delivery{}); !errors.Is(err, webhook.ErrPanic) {
				t.Fatalf("webhook.Recover(recvFails(err)).Handle(&webhook.Delivery{}) = %v, want %v", err, webhook.ErrPanic)
			}
		})
		t.Run(name+", of Describe", func(t *testing.T) {
			src := recvSource()
			src.Describe = func(*http.Request, []byte) webhook.Description {
				return webhook.Description{Type: "acme.push", Malformed: err}
			}
			rc := webhook.NewReceiver(src, recvOK)
			var log *recvLog
			rc.Logger, log = recvLogger()
			if got := recvServe(rc, recvRequest(t, src, "{}")).Code; got != http.StatusAccepted {
				t.Fatalf(`recvServe(rc, recvRequest(src, "{}")).Code = %d, want %d`, got, http.StatusAccepted)
			}
			if got := log.String(); !strings.Contains(got, "malformed delivery accepted") {
				t.Fatalf("log.String() = %q, want it to contain \"malformed delivery accepted\"", got)
			}
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
		if diff := cmp.Diff([]webhook.State{webhook.Dead}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if got := j.last().Reason; got != "once" {
			t.Fatalf("j.last().Reason = %q, want \"once\"", got)
		}
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
		if got := stateOf(t, in.MemInbox, d); got != webhook.Done {
			t.Fatalf("stateOf(in.MemInbox, d) = %q, want %q", got, webhook.Done)
		}
	})
}

func TestPromise8_ARouterWhoseTypesPanicEndsRunWithAnError(t *testing.T) {
	w := webhook.NewWorker(&webhook.MemInbox{}, brokenRouter{})
	if err := w.Run(t.Context()); !errors.Is(err, webhook.ErrPanic) {
		t.Fatalf("w.Run(t.Context()) = %v, want %v", err, webhook.ErrPanic)
	}
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
	rc.Observer = &webhook.Observer{Received: func(_ context.Context, _ *webhook.Delivery, err error, _ time.Duration) { observed = err }}
	server := httptest.NewServer(rc)
	defer server.Close()
	r := recvRequest(t, src, "{}")
	call, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, r.Body)
	if err != nil {
		t.Fatal(err)
	}
	call.Header = r.Header
	res, err := server.Client().Do(call)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusInternalServerError {
		t.Fatalf("res.StatusCode = %d, want %d", res.StatusCode, http.StatusInternalServerError)
	}
	if got := log.lines(t); len(got) != 1 {
		t.Fatalf("len(log.lines()) = %d, want 1: %v", len(got), got)
	}
	if !errors.Is(observed, webhook.ErrPanic) {
		t.Fatalf("observed = %v, want %v", observed, webhook.ErrPanic)
	}
}

func TestIsDuplicate(t *testing.T) {
	known := &webhook.DuplicateError{UID: "a"}
	if !webhook.IsDuplicate(known) {
		t.Fatal("webhook.IsDuplicate(known) is false, want true")
	}
	if !webhook.IsDuplicate(fmt.Errorf("again: %w", known)) {
		t.Fatal(`webhook.IsDuplicate(fmt.Errorf("again: %w", known)) is false, want true`)
	}
	if !webhook.IsDuplicate(errors.Join(known, webhook.ErrDuplicate)) {
		t.Fatal("webhook.IsDuplicate(errors.Join(known, webhook.ErrDuplicate)) is false, want true")
	}
	if webhook.IsDuplicate(errors.Join(known, io.EOF)) {
		t.Fatal("webhook.IsDuplicate(errors.Join(known, io.EOF)) is true, want false")
	}
	if webhook.IsDuplicate(nil) {
		t.Fatal("webhook.IsDuplicate(nil) is true, want false")
	}
}
