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

func TestWhatAHandlerReturnsDecides(t *testing.T) {
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
		{"several names of one permanent error are dead", fmt.Errorf("%w: %w", errBoom, webhook.Permanent(io.EOF)), outcome{State: webhook.Dead}},
		{"joined errors are dead if each is permanent", errors.Join(webhook.Permanent(io.EOF), webhook.ErrMalformed), outcome{State: webhook.Dead}},
		{"joined errors are tried again if one may pass", errors.Join(later, webhook.Permanent(errBoom)), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"in whichever order", errors.Join(webhook.Permanent(errBoom), webhook.ErrMalformed, later), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"also where the join is inside", fmt.Errorf("place: %w", errors.Join(later, webhook.ErrMalformed)), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"Permanent around joined errors is dead", webhook.Permanent(errors.Join(later, errBoom)), outcome{State: webhook.Dead}},
		{"RetryAfter around Permanent is dead", webhook.RetryAfter(time.Second, webhook.Permanent(errBoom)), outcome{State: webhook.Dead}},
		{"Permanent around RetryAfter is dead", webhook.Permanent(later), outcome{State: webhook.Dead}},
		{"of several RetryAfter the first holds", errors.Join(later, webhook.RetryAfter(time.Minute, errBoom)), outcome{State: webhook.Waiting, Delay: time.Hour}},
		{"RetryAfter waits as it says", webhook.RetryAfter(42*time.Second, errBoom), outcome{State: webhook.Waiting, Delay: 42 * time.Second}},
		{"a negative RetryAfter is at once", webhook.RetryAfter(-time.Hour, errBoom), outcome{State: webhook.Waiting}},
		{"no handler is put back uncounted", nobody.Handle(t.Context(), &webhook.Delivery{Type: "alpha.event"}), outcome{State: webhook.Waiting, Delay: time.Minute, Uncounted: true}},
	} {
		bubble(t, test.name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			var runs atomic.Int64
			w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				if runs.Add(1) > 1 {
					return nil
				}
				return test.err
			}))
			arrive(t, in, "a", nil)
			stop := start(t, w)
			synctest.Wait()
			stop()
			i := slices.Index(j.fences, 1) // the second run may be told of first
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
	bubble(t, "another error is tried again after Retry until MaxAttempts, then it is dead", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Last != (c.Attempt == 4) {
				t.Errorf("attempt %d of 4 is told that it is the last: %v", c.Attempt, c.Last)
			}
			return errBoom
		})
		w, j := quietly(in, h)
		w.MaxAttempts = 4
		w.Retry = webhook.Backoff{First: 10 * time.Second, Max: time.Minute}
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Hour)
		stop()
		require.Len(t, ran(), 4)
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		for i, most := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
			require.LessOrEqual(t, j.settled[i].Delay, most)
			require.GreaterOrEqual(t, j.settled[i].Delay, most/2)
		}
	})
	bubble(t, "what is permanent once its time is over is tried again", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return webhook.Permanent(errors.New("signal: killed"))
		}))
		w.MaxAttempts = 2
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Hour)
		stop()
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Dead}, j.states())
		require.False(t, j.settled[0].Uncounted)
	})
	bubble(t, "RetryAfter does not outlast MaxAttempts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.RetryAfter(time.Second, errBoom)
		}))
		w.MaxAttempts = 2
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Dead}, j.states())
	})
}

func TestAWorkerSurvivesAnInboxThatFails(t *testing.T) {
	bubble(t, "claiming backs off and recovers", func(t *testing.T) {
		var asked atomic.Int64
		down := atomic.Bool{}
		down.Store(true)
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error {
			asked.Add(1)
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		if n := asked.Load(); n < 10 || n > 20 {
			t.Errorf("asked %d times in a minute, want about once in 5 s", n)
		}
		for i := range 100 {
			arrive(t, in, fmt.Sprint("new ", i), nil)
			synctest.Wait()
		}
		if n := asked.Load(); n > 20 {
			t.Errorf("asked %d times: the inbox's signal breaks through the pause", n)
		}
		down.Store(false)
		pass(5 * time.Second)
		require.Len(t, ran(), 101)
		arrive(t, in, "b", nil)
		synctest.Wait()
		require.Len(t, ran(), 102, "it listens to the inbox's signal again")
		stop()
	})
	bubble(t, "Run ends while a claim hangs", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		pass(time.Second)
		stop()
	})
}

func TestAWorkerLearnsOfWork(t *testing.T) {
	bubble(t, "at once from an inbox that notifies", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		w.PollInterval = time.Hour
		stop := start(t, w)
		pass(time.Second)
		arrive(t, in, "a", nil)
		synctest.Wait()
		require.Equal(t, []string{"a"}, ran())
		stop()
	})
	bubble(t, "by asking where it does not", func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		stop := start(t, w)
		pass(time.Second)
		arrive(t, in, "a", nil)
		pass(200 * time.Millisecond)
		require.Equal(t, []string{"a"}, ran())
		stop()
	})
	bubble(t, "and asks again at once while there is more", func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		w.Concurrency, w.PollInterval = 2, time.Hour
		for i := range 9 {
			arrive(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		synctest.Wait()
		require.Len(t, ran(), 9)
		stop()
	})
	bubble(t, "and of a retry when it is due", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
				return webhook.RetryAfter(10*time.Second, errBoom)
			}
			return nil
		})
		w, _ := quietly(in, h)
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(9900 * time.Millisecond)
		require.Len(t, ran(), 1)
		pass(300 * time.Millisecond)
		require.Len(t, ran(), 2)
		stop()
	})
}

func TestObserverIsToldOfEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(3 * time.Second)
			return nil
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(5 * time.Second)
		stop()
		require.Len(t, j.claimed, 1)
		require.Equal(t, "a", j.claimed[0].Delivery.UID)
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
		require.Equal(t, []time.Duration{3 * time.Second}, j.took)
		require.Empty(t, j.lost)

		w.Observer = &webhook.Observer{} // told nobody
		stop = start(t, w)               // Run may be called again
		arrive(t, in, "b", nil)
		pass(5 * time.Second)
		stop()
		require.Equal(t, 2, counts(t, in)[webhook.Done])
	})
}

func TestNewWorkerPanicsOnMisuse(t *testing.T) {
	require.Panics(t, func() { webhook.NewWorker(nil, webhook.HandlerFunc(succeed)) })
	require.Panics(t, func() { webhook.NewWorker(&webhook.MemInbox{}, nil) })
}
