package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestWorkerOutcomeByHandlerError(t *testing.T) {
	type outcome struct {
		State     webhook.State
		Delay     time.Duration
		Uncounted bool
	}
	var nobody webhook.Mux
	later := webhook.RetryAfter(time.Hour, io.ErrUnexpectedEOF)
	for _, test := range []struct {
		name string
		err  error
		want outcome
	}{
		{"nil is done", nil, outcome{State: webhook.Done}},
		{"a duplicate is done", &webhook.DuplicateError{UID: "other"}, outcome{State: webhook.Done}},
		{"ErrIgnored is ignored", fmt.Errorf("a branch: %w", webhook.ErrIgnored), outcome{State: webhook.Ignored}},
		{"Permanent is dead", webhook.Permanent(errBoom), outcome{State: webhook.Dead}},
		{"Permanent inside is dead", fmt.Errorf("deploy: %w", webhook.Permanent(errBoom)), outcome{State: webhook.Dead}},
		{"ErrMalformed is dead", fmt.Errorf("alpha: %w", webhook.ErrMalformed), outcome{State: webhook.Dead}},
		{"ErrMalformed and its cause is dead", fmt.Errorf("alpha: %w: %w", webhook.ErrMalformed, errBoom), outcome{State: webhook.Dead}},
		{"Permanent among the %w of one error is dead", fmt.Errorf("%w: %w", errBoom, webhook.Permanent(io.EOF)), outcome{State: webhook.Dead}},
		{"joined errors are dead if each is permanent", errors.Join(webhook.Permanent(io.EOF), webhook.ErrMalformed), outcome{State: webhook.Dead}},
		{"joined errors are tried again if one may be temporary", errors.Join(later, webhook.Permanent(errBoom)), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"joined errors in another order are tried again too", errors.Join(webhook.Permanent(errBoom), webhook.ErrMalformed, later), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"joined errors inside another error are tried again too", fmt.Errorf("place: %w", errors.Join(later, webhook.ErrMalformed)), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"Permanent around joined errors is dead", webhook.Permanent(errors.Join(later, errBoom)), outcome{State: webhook.Dead}},
		{"RetryAfter around Permanent is dead", webhook.RetryAfter(time.Second, webhook.Permanent(errBoom)), outcome{State: webhook.Dead}},
		{"Permanent around RetryAfter is dead", webhook.Permanent(later), outcome{State: webhook.Dead}},
		{"of several RetryAfter the first applies", errors.Join(later, webhook.RetryAfter(time.Minute, errBoom)), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"RetryAfter is tried again after its delay", webhook.RetryAfter(42*time.Second, errBoom), outcome{State: webhook.Waiting, Delay: 42 * time.Second}},
		{"a negative RetryAfter is tried again at once", webhook.RetryAfter(-time.Hour, errBoom), outcome{State: webhook.Waiting}},
		{"no handler is put back uncounted", nobody.Handle(t.Context(), &webhook.Delivery{Type: "alpha.event"}), outcome{State: webhook.Waiting, Delay: time.Minute, Uncounted: true}},
	} {
		synctestRun(t, test.name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			var runs atomic.Int64
			w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				if runs.Add(1) > 1 {
					return nil
				}
				return test.err
			}))
			putDelivery(t, in, "a", nil)
			stop := start(t, w)
			synctest.Wait()
			stop()
			i := slices.Index(j.fences, 1) // the second run may be reported first
			require.GreaterOrEqual(t, i, 0)
			first := j.settled[i]
			if diff := cmp.Diff(test.want, outcome{first.State, first.Delay, first.Uncounted}); diff != "" {
				t.Error(diff)
			}
			if test.err != nil && test.want.State != webhook.Done && first.Reason != test.err.Error() {
				t.Errorf("reason %q, want %q", first.Reason, test.err)
			}
		})
	}
	synctestRun(t, "another error is tried again after Retry until MaxAttempts, then it is dead", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Last != (c.Attempt == 4) {
				t.Errorf("attempt %d of 4 has Last %v", c.Attempt, c.Last)
			}
			return errBoom
		})
		w, j := newTestWorker(in, h)
		w.MaxAttempts = 4
		w.Retry = webhook.Backoff{First: 10 * time.Second, Max: time.Minute}
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Hour)
		stop()
		require.Len(t, ran(), 4)
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		for i, most := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
			require.LessOrEqual(t, j.settled[i].Delay, most)
			require.GreaterOrEqual(t, j.settled[i].Delay, most/2)
		}
	})
	synctestRun(t, "Permanent after Timeout is tried again", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return webhook.Permanent(errors.New("signal: killed"))
		}))
		w.MaxAttempts = 2
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Hour)
		stop()
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Dead}, j.states())
		require.False(t, j.settled[0].Uncounted)
	})
	synctestRun(t, "RetryAfter in the last attempt is dead", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.RetryAfter(time.Second, errBoom)
		}))
		w.MaxAttempts = 2
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Dead}, j.states())
	})
}

func TestWorkerSurvivesAnInboxThatFails(t *testing.T) {
	synctestRun(t, "claiming backs off and recovers", func(t *testing.T) {
		var asked atomic.Int64
		down := atomic.Bool{}
		down.Store(true)
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error {
			asked.Add(1)
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		if n := asked.Load(); n < 10 || n > 20 {
			t.Errorf("asked %d times in a minute, want about once in 5 s", n)
		}
		for i := range 100 {
			putDelivery(t, in, fmt.Sprint("new ", i), nil)
			synctest.Wait()
		}
		if n := asked.Load(); n > 20 {
			t.Errorf("asked %d times: the inbox's signal breaks through the pause", n)
		}
		down.Store(false)
		advance(5 * time.Second)
		require.Len(t, ran(), 101)
		putDelivery(t, in, "b", nil)
		synctest.Wait()
		require.Len(t, ran(), 102, "it listens to the inbox's signal again")
		stop()
	})
	synctestRun(t, "Run ends while a claim hangs", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		advance(time.Second)
		stop()
	})
}

func TestWorkerClaimsOnASignalAndByPolling(t *testing.T) {
	synctestRun(t, "an inbox that notifies is asked at once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		w.PollInterval = time.Hour
		stop := start(t, w)
		advance(time.Second)
		putDelivery(t, in, "a", nil)
		synctest.Wait()
		require.Equal(t, []string{"a"}, ran())
		stop()
	})
	synctestRun(t, "another inbox is polled", func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Second)
		putDelivery(t, in, "a", nil)
		advance(200 * time.Millisecond)
		require.Equal(t, []string{"a"}, ran())
		stop()
	})
	synctestRun(t, "it claims again at once while there is more", func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		w.Concurrency, w.PollInterval = 2, time.Hour
		for i := range 9 {
			putDelivery(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		synctest.Wait()
		require.Len(t, ran(), 9)
		stop()
	})
	synctestRun(t, "a retry runs when it is due", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
				return webhook.RetryAfter(10*time.Second, errBoom)
			}
			return nil
		})
		w, _ := newTestWorker(in, h)
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(9900 * time.Millisecond)
		require.Len(t, ran(), 1)
		advance(300 * time.Millisecond)
		require.Len(t, ran(), 2)
		stop()
	})
}

func TestObserverReceivesEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(3 * time.Second)
			return nil
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(5 * time.Second)
		stop()
		require.Len(t, j.claimed, 1)
		require.Equal(t, "a", j.claimed[0].Delivery.UID)
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
		require.Equal(t, []time.Duration{3 * time.Second}, j.took)
		require.Empty(t, j.lost)

		w.Observer = &webhook.Observer{} // without funcs
		stop = start(t, w)               // Run may be called again
		putDelivery(t, in, "b", nil)
		advance(5 * time.Second)
		stop()
		require.Equal(t, 2, counts(t, in)[webhook.Done])
	})
}

func TestNewWorkerPanicsOnMisuse(t *testing.T) {
	require.Panics(t, func() { webhook.NewWorker(nil, webhook.HandlerFunc(succeed)) })
	require.Panics(t, func() { webhook.NewWorker(&webhook.MemInbox{}, nil) })
}
