package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		if !errors.Is(err, webhook.ErrDuplicate) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrDuplicate)
		}
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"first"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
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
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
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
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
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
		if err := <-cause; !errors.Is(err, webhook.ErrClaimLost) {
			t.Fatalf("<-cause = %v, want %v", err, webhook.ErrClaimLost)
		}
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
		if got := <-ended; got != 30*time.Second {
			t.Fatalf("<-ended = %v, want %v", got, 30*time.Second)
		}
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
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 0 {
			t.Fatalf("claims = %v, want empty", claims)
		}
		advance(time.Minute)
		stop()
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
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
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
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
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
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
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
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
		if got := stateOf(t, mem, d); got != webhook.Done {
			t.Fatalf("stateOf(mem, d) = %q, want %q", got, webhook.Done)
		}
		if len(lateJournal.lost) != 1 {
			t.Fatalf("len(lateJournal.lost) = %d, want 1: %v", len(lateJournal.lost), lateJournal.lost)
		}
		if got := lateJournal.states(); len(got) != 0 {
			t.Fatalf("lateJournal.states() = %v, want empty", got)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, promptJournal.states()); diff != "" {
			t.Fatalf("promptJournal.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "a delivery that ends the process each time it runs alone is dead after the last attempt", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "poison", nil)
		for range 4 { // processes that it killed
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1, Lease: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
			}
			if claims[0].Suspect {
				_, err := in.Begin(t.Context(), claims[0])
				if err != nil {
					t.Fatal(err)
				}
			}
			advance(2 * time.Second)
		}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		w.MaxAttempts = 4
		stop := start(t, w)
		advance(time.Second)
		stop()
		if got := ran(); len(got) != 0 {
			t.Fatalf("ran() = %v, want empty", got)
		}
		if got := stateOf(t, in, d); got != webhook.Dead {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Dead)
		}
		if got := j.last().Reason; got != "it ended the process 2 times when it ran alone" {
			t.Fatalf("j.last().Reason = %q, want \"it ended the process 2 times when it ran alone\"", got)
		}
	})
	synctestRun(t, "ClaimFromContext returns attempt and fence", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var seen []webhook.Claim
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			c, ok := webhook.ClaimFromContext(ctx)
			if !ok {
				t.Fatal("ok = false, want true")
			}
			if c.Delivery != d {
				t.Fatalf("c.Delivery = %v, want %v", c.Delivery, d)
			}
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
		if len(seen) != 2 {
			t.Fatalf("len(seen) = %d, want 2: %v", len(seen), seen)
		}
		if seen[1].Attempt != 2 {
			t.Fatalf("seen[1].Attempt = %d, want 2", seen[1].Attempt)
		}
		if seen[1].Fence <= seen[0].Fence {
			t.Fatalf("seen[1].Fence = %d, want more than %d", seen[1].Fence, seen[0].Fence)
		}
		_, ok := webhook.ClaimFromContext(t.Context())
		if ok {
			t.Fatal("ok is true, want false")
		}
	})
}
