package webhook_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestPromise4_PerKeyOrder(t *testing.T) {
	synctestRun(t, "deliveries of a key run one at a time, in order, and concurrently with other keys", func(t *testing.T) {
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
		w, _ := newTestWorker(in, h)
		for _, uid := range []string{"k1", "k2", "k3"} {
			putDelivery(t, in, uid, keyed("key"))
		}
		putDelivery(t, in, "other", keyed("other"))
		stop := start(t, w)
		advance(500 * time.Millisecond)
		if diff := cmp.Diff([]string{"k1", "other"}, slices.Sorted(slices.Values(ran()))); diff != "" {
			t.Fatalf("ran, sorted (-want +got):\n%s", diff)
		}
		advance(5 * time.Second)
		stop()
		inOrder := slices.DeleteFunc(ran(), func(uid string) bool { return uid == "other" })
		if diff := cmp.Diff([]string{"k1", "k2", "k3"}, inOrder); diff != "" {
			t.Fatalf("inOrder (-want +got):\n%s", diff)
		}
		if got := most.Load(); got != 1 {
			t.Fatalf("most.Load() = %d, want 1", got)
		}
	})
	failFirst := func() (webhook.Handler, func() []string) {
		return recorded(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); d.UID == "first" && c.Attempt == 1 {
				return errBoom
			}
			return nil
		})
	}
	synctestRun(t, "a delivery that waits for its retry blocks its key", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := failFirst()
		w, _ := newTestWorker(in, h)
		putDelivery(t, in, "first", keyed("key"))
		putDelivery(t, in, "second", keyed("key"))
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"first", "first", "second"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "RetryOutOfOrder lets the next one of the key run", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := failFirst()
		w, _ := newTestWorker(in, h)
		w.RetryOutOfOrder = true
		putDelivery(t, in, "first", keyed("key"))
		putDelivery(t, in, "second", keyed("key"))
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"first", "second", "first"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "Timeout ends the context with cause ErrClaimLost and the attempt counts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var took time.Duration
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt > 1 {
				return nil
			}
			begun := time.Now()
			<-ctx.Done()
			took = time.Since(begun)
			if err := context.Cause(ctx); !errors.Is(err, webhook.ErrClaimLost) {
				t.Fatalf("context.Cause(ctx) = %v, want %v", err, webhook.ErrClaimLost)
			}
			return ctx.Err()
		}))
		w.Timeout = time.Minute
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(2 * time.Minute)
		stop()
		if took != time.Minute {
			t.Fatalf("took = %v, want %v", took, time.Minute)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Waiting, webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if !strings.Contains(j.settled[0].Reason, "its Timeout") {
			t.Fatalf("j.settled[0].Reason = %q, want it to contain \"its Timeout\"", j.settled[0].Reason)
		}
		if j.settled[0].Uncounted {
			t.Fatal("j.settled[0].Uncounted is true, want false")
		}
	})
}

func TestPromise5_CoalescingIsDataAtPut(t *testing.T) {
	synctestRun(t, "only the newest of a burst runs, once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		for _, uid := range []string{"1", "2", "3", "4"} {
			putDelivery(t, in, uid, func(d *webhook.Delivery) {
				d.OrderingKey, d.Coalesce = "image:tag", webhook.Coalesce{Quiet: 10 * time.Second, Max: time.Minute}
			})
			advance(5 * time.Second)
		}
		if got := ran(); len(got) != 0 {
			t.Fatalf("ran() = %v, want empty", got)
		}
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"4"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Superseded: 3, webhook.Done: 1}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "a newer delivery of the burst supersedes the retry of an older one", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			work(2 * time.Second)
			if d.UID == "old" {
				return errBoom
			}
			return nil
		})
		w, _ := newTestWorker(in, h)
		coalesce := func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "image:tag", webhook.Coalesce{Quiet: time.Second}
		}
		stop := start(t, w)
		old := putDelivery(t, in, "old", coalesce)
		advance(1500 * time.Millisecond)
		putDelivery(t, in, "new", coalesce)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"old", "new"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := stateOf(t, in, old); got != webhook.Superseded {
			t.Fatalf("stateOf(in, old) = %q, want %q", got, webhook.Superseded)
		}
	})
}
