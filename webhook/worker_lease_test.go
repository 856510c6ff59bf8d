package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestPromise2_AtLeastOnceOnceInPractice(t *testing.T) {
	synctestRun(t, "a duplicate does not run", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		dedup := func(d *webhook.Delivery) { d.DedupKeys = []string{"key"} }
		putDelivery(t, in, "first", dedup)
		advance(time.Second)
		err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "second", Source: "alpha", DedupKeys: []string{"key"}})
		require.ErrorIs(t, err, webhook.ErrDuplicate)
		advance(time.Minute)
		stop()
		require.Equal(t, []string{"first"}, ran())
	})
	synctestRun(t, "a settlement is repeated while the inbox fails, and the callback is not", func(t *testing.T) {
		var failures atomic.Int64
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(context.Context) error {
			if failures.Add(1) <= 4 {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(20 * time.Second)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
}

func TestPromise3_LeasesWithHeartbeatAndFencing(t *testing.T) {
	synctestRun(t, "the lease of a long callback is renewed", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(10 * time.Minute); return nil })
		one, _ := newTestWorker(in, h)
		other, _ := newTestWorker(in, h)
		putDelivery(t, in, "a", nil)
		stopOne, stopOther := start(t, one), start(t, other)
		advance(12 * time.Minute)
		stopOne()
		stopOther()
		require.Equal(t, []string{"a"}, ran())
	})
	synctestRun(t, "a lost claim ends the callback's context with cause ErrClaimLost", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error {
			return fmt.Errorf("gone: %w", webhook.ErrClaimLost)
		}}
		cause := make(chan error, 1)
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt > 1 {
				return nil
			}
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(11 * time.Second) // one beat, a third of the lease
		require.ErrorIs(t, <-cause, webhook.ErrClaimLost)
		stop()
	})
	synctestRun(t, "a claim whose lease cannot be renewed is lost when the lease ends, not before", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error { return errBoom }}
		ended := make(chan time.Duration, 1)
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			begun := time.Now()
			<-ctx.Done()
			if errors.Is(context.Cause(ctx), webhook.ErrClaimLost) {
				ended <- time.Since(begun)
			}
			return webhook.Permanent(ctx.Err())
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(35 * time.Second)
		require.Equal(t, 30*time.Second, <-ended)
		stop()
	})
	synctestRun(t, "the lease of a claim that took long to return is renewed at once", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.alter = func(claims []webhook.Claim) []webhook.Claim {
			work(25 * time.Second)
			return claims
		}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(8 * time.Second)
			return nil
		}))
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(32 * time.Second)
		claims, err := in.MemInbox.Claim(t.Context(), webhook.ClaimOptions{}) // another process
		require.NoError(t, err)
		require.Empty(t, claims)
		advance(time.Minute)
		stop()
		require.Empty(t, j.lost)
		require.Equal(t, webhook.Done, stateOf(t, in, d))
	})
	synctestRun(t, "a failed renewal loses nothing if the next one succeeds", func(t *testing.T) {
		begun := time.Now()
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error {
			if s := time.Since(begun); s > time.Minute && s < 75*time.Second {
				return errBoom
			}
			return nil
		}}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			work(3 * time.Minute)
			return ctx.Err()
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(4 * time.Minute)
		stop()
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	synctestRun(t, "a renewal that hangs does not delay the end of a callback", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(12 * time.Second)
			return nil
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(13 * time.Second)
		stop()
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	synctestRun(t, "work that took longer than its lease counts if nobody began it again", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error { return errBoom }}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(45 * time.Second); return nil })
		w, j := newTestWorker(in, h)
		w.Concurrency = 1 // so that this Worker does not begin it again itself
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []string{"a"}, ran())
		require.Empty(t, j.lost)
	})
	synctestRun(t, "a Worker whose delivery was claimed again cannot settle it", func(t *testing.T) {
		mem := &webhook.MemInbox{}
		cut := &flakyInbox{MemInbox: mem, onExtend: func(context.Context) error { return errBoom }}
		late, lateJournal := newTestWorker(cut, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(2 * time.Minute) // ignores its context
			return webhook.Permanent(errBoom)
		}))
		late.Concurrency = 1
		prompt, promptJournal := newTestWorker(mem, webhook.HandlerFunc(succeed))
		d := putDelivery(t, mem, "a", nil)
		stopLate := start(t, late)
		advance(time.Second)
		stopPrompt := start(t, prompt)
		advance(3 * time.Minute)
		stopLate()
		stopPrompt()
		require.Equal(t, webhook.Done, stateOf(t, mem, d))
		require.Len(t, lateJournal.lost, 1)
		require.Empty(t, lateJournal.states())
		require.Equal(t, []webhook.State{webhook.Done}, promptJournal.states())
	})
	synctestRun(t, "a delivery that ends the process each time it runs alone is dead after the last attempt", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "poison", nil)
		for range 4 { // processes that it killed
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1, Lease: time.Second})
			require.NoError(t, err)
			require.Len(t, claims, 1)
			if claims[0].Suspect {
				_, err := in.Begin(t.Context(), claims[0])
				require.NoError(t, err)
			}
			advance(2 * time.Second)
		}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		w.MaxAttempts = 4
		stop := start(t, w)
		advance(time.Second)
		stop()
		require.Empty(t, ran())
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		require.Equal(t, "it ended the process 2 times when it ran alone", j.last().Reason)
	})
	synctestRun(t, "ClaimFromContext returns attempt and fence", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var seen []webhook.Claim
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			c, ok := webhook.ClaimFromContext(ctx)
			require.True(t, ok)
			require.Same(t, d, c.Delivery)
			seen = append(seen, c)
			if c.Attempt == 1 {
				return errBoom
			}
			return nil
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Len(t, seen, 2)
		require.Equal(t, 2, seen[1].Attempt)
		require.Greater(t, seen[1].Fence, seen[0].Fence)
		_, ok := webhook.ClaimFromContext(t.Context())
		require.False(t, ok)
	})
}
