package webhook_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestDrainEndsWithItsContext(t *testing.T) {
	synctestRun(t, "attempts in progress finish, and the rest is not claimed", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(10 * time.Second); return nil })
		w, _ := newTestWorker(in, h)
		w.Concurrency = 1
		putDelivery(t, in, "a", nil)
		left := putDelivery(t, in, "b", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if err := w.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain = %v, want %v", err, context.DeadlineExceeded)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("Drain took %v, want 10 s", took)
		}
		ranAre(t, ran(), "a")
		if got := stateOf(t, in, left); got != webhook.Waiting {
			t.Errorf("b is %s, want waiting", got)
		}
	})
	synctestRun(t, "attempts that do not end are put back", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "hang", nil)
		h, _, release := hang()
		w, _ := newTestWorker(in, h)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := w.Drain(ctx); !errors.Is(err, webhook.ErrShutdown) {
			t.Errorf("Drain = %v, want %v", err, webhook.ErrShutdown)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("Drain took %v, want 1 s, ShutdownTimeout and 1 s", took)
		}
		if got := stateOf(t, in, d); got != webhook.Waiting {
			t.Errorf("it is %s, want waiting", got)
		}
		release(1)
	})
	synctestRun(t, "a context that has ended before", func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "a", nil)
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.Drain(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Drain = %v, want %v", err, context.Canceled)
		}
		ranAre(t, ran())
	})
}

func TestDrainReturnsTheErrorOfClaim(t *testing.T) {
	synctestRun(t, "when the attempts in progress are settled", func(t *testing.T) {
		var calls atomic.Int32
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error {
			if calls.Add(1) > 1 {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(time.Minute); return nil })
		w, _ := newTestWorker(in, h)
		d := putDelivery(t, in, "a", nil)
		drain(t, w, errBoom, time.Minute)
		ranAre(t, ran(), "a")
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Errorf("it is %s, want done", got)
		}
		if got := calls.Load(); got != 2 {
			t.Errorf("%d Claims, want 2", got)
		}
		if got := w.Health().LastError; !errors.Is(got, errBoom) {
			t.Errorf("LastError = %v, want %v", got, errBoom)
		}
	})
	synctestRun(t, "also if its context ends meanwhile", func(t *testing.T) {
		var calls atomic.Int32
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error {
			if calls.Add(1) > 1 {
				return errBoom
			}
			return nil
		}}
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { work(5 * time.Second); return nil }))
		putDelivery(t, in, "a", nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Drain(ctx); !errors.Is(err, errBoom) {
			t.Errorf("Drain = %v, want %v", err, errBoom)
		}
	})
	synctestRun(t, "ErrPanic, if Claim ends its goroutine", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error { runtime.Goexit(); return nil }}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		drain(t, w, webhook.ErrPanic, 0)
	})
}

func TestDrainReturnsErrStuckForACallbackThatDoesNotReturn(t *testing.T) {
	for _, concurrency := range []int{1, 2} {
		synctestRun(t, "with all slots or some", func(t *testing.T) {
			in := &webhook.MemInbox{}
			h, _, release := hang()
			w, _ := newTestWorker(in, h)
			w.Concurrency, w.Timeout, w.MaxAttempts = concurrency, time.Minute, 1
			d := putDelivery(t, in, "hang", nil)
			took := 90 * time.Second // Timeout and a lease
			if concurrency == 1 {
				took += time.Minute // Run waits for another Timeout too
			}
			drain(t, w, webhook.ErrStuck, took)
			if got := stateOf(t, in, d); got != webhook.Dead {
				t.Errorf("it is %s, want dead", got)
			}
			release(1)
		})
	}
	synctestRun(t, "in a type that is full, while others are worked", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		w, _ := newBoundWorker(in, h.Handle)
		w.Types["slow.a"] = webhook.Policy{Concurrency: 1, Timeout: time.Minute, MaxAttempts: 1}
		putDelivery(t, in, "hang", typed("slow.a"))
		putDelivery(t, in, "next", typed("slow.a"))
		putDelivery(t, in, "other", typed("fast.a"))
		drain(t, w, webhook.ErrStuck, 90*time.Second)
		got := ran()
		slices.Sort(got)
		ranAre(t, got, "hang", "other")
		release(1)
	})
	synctestRun(t, "when its delivery is settled", func(t *testing.T) {
		start := time.Now()
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(context.Context) error {
			if time.Since(start) < time.Hour {
				return errBoom
			}
			return nil
		}}
		h, _, release := hang()
		w, _ := newTestWorker(in, h)
		w.Timeout, w.MaxAttempts = time.Minute, 1
		d := putDelivery(t, in, "hang", nil)
		if err := w.Drain(t.Context()); !errors.Is(err, webhook.ErrStuck) {
			t.Errorf("Drain = %v, want %v", err, webhook.ErrStuck)
		}
		if got := stateOf(t, in, d); got != webhook.Dead {
			t.Errorf("it is %s, want dead", got)
		}
		release(1)
	})
	synctestRun(t, "unless KeepRunning is set", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w, _ := newTestWorker(in, h)
		w.Timeout, w.MaxAttempts, w.KeepRunning = time.Minute, 1, true
		putDelivery(t, in, "hang", nil)
		time.AfterFunc(time.Hour, func() { release(1) })
		drain(t, w, nil, time.Hour)
	})
}

func TestRunAndDrainExcludeEachOther(t *testing.T) {
	synctestRun(t, "the second one returns ErrRunning and claims nothing", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { work(time.Minute); return nil }))
		stop := start(t, w)
		advance(0)
		drain(t, w, webhook.ErrRunning, 0)
		if err := w.Run(t.Context()); !errors.Is(err, webhook.ErrRunning) {
			t.Errorf("Run = %v, want %v", err, webhook.ErrRunning)
		}
		if !w.Health().Running {
			t.Error("the refused calls ended the Worker")
		}
		stop()
		putDelivery(t, in, "a", nil)
		done := make(chan error, 1)
		go func() { done <- w.Drain(t.Context()) }()
		advance(time.Second)
		if err := w.Run(t.Context()); !errors.Is(err, webhook.ErrRunning) {
			t.Errorf("Run = %v, want %v", err, webhook.ErrRunning)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
