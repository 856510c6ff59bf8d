package webhook_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestPromise4_PerKeyOrder(t *testing.T) {
	bubble(t, "one at a time of a key, in order, and other keys beside it", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var running, most atomic.Int64
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			if d.OrderingKey == "key" {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
			}
			work(time.Second)
			return nil
		})
		w, _ := quietly(in, h)
		for _, uid := range []string{"k1", "k2", "k3"} {
			arrive(t, in, uid, keyed("key"))
		}
		arrive(t, in, "other", keyed("other"))
		stop := start(t, w)
		pass(500 * time.Millisecond)
		require.ElementsMatch(t, []string{"k1", "other"}, ran())
		pass(5 * time.Second)
		stop()
		inOrder := slices.DeleteFunc(ran(), func(uid string) bool { return uid == "other" })
		require.Equal(t, []string{"k1", "k2", "k3"}, inOrder)
		require.EqualValues(t, 1, most.Load())
	})
	failFirst := func() (webhook.Handler, func() []string) {
		return recorded(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); d.UID == "first" && c.Attempt == 1 {
				return errBoom
			}
			return nil
		})
	}
	bubble(t, "a retry holds its key", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := failFirst()
		w, _ := quietly(in, h)
		arrive(t, in, "first", keyed("key"))
		arrive(t, in, "second", keyed("key"))
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"first", "first", "second"}, ran())
	})
	bubble(t, "RetryOutOfOrder lets the next one pass", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := failFirst()
		w, _ := quietly(in, h)
		w.RetryOutOfOrder = true
		arrive(t, in, "first", keyed("key"))
		arrive(t, in, "second", keyed("key"))
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"first", "second", "first"}, ran())
	})
	bubble(t, "Timeout ends the context with cause ErrClaimLost and the attempt counts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var took time.Duration
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt > 1 {
				return nil
			}
			begun := time.Now()
			<-ctx.Done()
			took = time.Since(begun)
			require.ErrorIs(t, context.Cause(ctx), webhook.ErrClaimLost)
			return ctx.Err()
		}))
		w.Timeout = time.Minute
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(2 * time.Minute)
		stop()
		require.Equal(t, time.Minute, took)
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Done}, j.states())
		require.Contains(t, j.settled[0].Reason, "Worker.Timeout")
		require.False(t, j.settled[0].Uncounted)
	})
}

func TestPromise5_CoalescingIsDataAtPut(t *testing.T) {
	bubble(t, "of a burst the newest runs, once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		stop := start(t, w)
		for _, uid := range []string{"1", "2", "3", "4"} {
			arrive(t, in, uid, func(d *webhook.Delivery) {
				d.OrderingKey, d.Coalesce = "image:tag", webhook.Coalesce{Quiet: 10 * time.Second, Max: time.Minute}
			})
			pass(5 * time.Second)
		}
		require.Empty(t, ran())
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"4"}, ran())
		require.Equal(t, map[webhook.State]int{webhook.Superseded: 3, webhook.Done: 1}, counts(t, in))
	})
	bubble(t, "a retry of the older gives way to the newer", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			work(2 * time.Second)
			if d.UID == "old" {
				return errBoom
			}
			return nil
		})
		w, _ := quietly(in, h)
		coalesce := func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "image:tag", webhook.Coalesce{Quiet: time.Second}
		}
		stop := start(t, w)
		old := arrive(t, in, "old", coalesce)
		pass(1500 * time.Millisecond)
		arrive(t, in, "new", coalesce)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"old", "new"}, ran())
		require.Equal(t, webhook.Superseded, stateOf(t, in, old))
	})
}
