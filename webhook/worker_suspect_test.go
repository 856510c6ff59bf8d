package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A life is a process that works on an inbox until one delivery ends it: then it
// renews, settles and claims nothing any more.
func life(t *testing.T, in *webhook.MemInbox, maxAttempts int, killer string) (ran []string) {
	t.Helper()
	var dead atomic.Bool
	gone := func(ctx context.Context) error {
		if dead.Load() {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	cut := &flakyInbox{MemInbox: in, onClaim: gone, onBegin: gone, onExtend: gone, onSettle: gone}
	end := make(chan struct{})
	h, uids := recorded(func(ctx context.Context, d *webhook.Delivery) error {
		if d.UID == killer {
			if dead.CompareAndSwap(false, true) {
				close(end)
			}
		}
		if dead.Load() {
			<-ctx.Done()
			return ctx.Err()
		}
		work(time.Second)
		if dead.Load() {
			<-ctx.Done()
		}
		return nil
	})
	w, _ := newTestWorker(cut, h)
	w.MaxAttempts, w.ShutdownTimeout = maxAttempts, time.Second
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	select {
	case <-end:
	case <-time.After(10 * time.Minute): // it lives
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, webhook.ErrShutdown) {
		t.Errorf("Run returned %v", err)
	}
	advance(time.Minute) // the supervisor starts it again, and leases run out
	return uids()
}

func TestOtherDeliveriesAreDoneDespiteOneThatEndsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		var all []*webhook.Delivery
		for i := range 8 {
			all = append(all, putDelivery(t, in, fmt.Sprint(i), nil))
		}
		for range 20 {
			life(t, in, 5, "3")
		}
		for _, d := range all {
			want := webhook.Done
			if d.UID == "3" {
				want = webhook.Dead
			}
			if got := stateOf(t, in, d); got != want {
				t.Fatalf("%v: stateOf(in, d) = %q, want %q", d.UID, got, want)
			}
		}
	})
}

// suspects makes each of these deliveries suspect: two processes that claimed it
// ended without a word.
func suspects(t *testing.T, in *webhook.MemInbox, uids ...string) {
	t.Helper()
	for _, uid := range uids {
		putDelivery(t, in, uid, nil)
	}
	for range 2 {
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: len(uids), Lease: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != len(uids) {
			t.Fatalf("len(claims) = %d, want %d: %v", len(claims), len(uids), claims)
		}
		advance(2 * time.Second)
	}
}

func TestSuspectsRunAlone(t *testing.T) {
	alone := func(each time.Duration) (h webhook.Handler, ran func() []string, most *atomic.Int64) {
		var running atomic.Int64
		most = new(atomic.Int64)
		h, ran = recorded(func(context.Context, *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			work(each)
			return nil
		})
		return h, ran, most
	}
	synctestRun(t, "they run one at a time, alone, each with its lease renewed", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a", "b", "c")
		h, ran, most := alone(5 * time.Minute)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Second)
		putDelivery(t, in, "new", nil)
		advance(14 * time.Minute)
		if diff := cmp.Diff([]string{"a", "b", "c"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		advance(10 * time.Minute)
		stop()
		if got := most.Load(); got != 1 {
			t.Fatalf("most.Load() = %d, want 1", got)
		}
		if diff := cmp.Diff([]string{"a", "b", "c", "new"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
		for _, c := range j.claimed[:3] {
			if !c.Suspect {
				t.Fatal("c.Suspect is false, want true")
			}
			if c.Attempt != 3 {
				t.Fatalf("c.Attempt = %d, want 3", c.Attempt)
			}
		}
	})
	synctestRun(t, "they have header and body, and the attempt that Begin counted", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a")
		var got webhook.Claim
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			got, _ = webhook.ClaimFromContext(ctx)
			if string(d.Body) != "{}" {
				t.Fatalf("string(d.Body) = %q, want \"{}\"", string(d.Body))
			}
			return nil
		}))
		w.MaxAttempts = 3
		stop := start(t, w)
		synctest.Wait()
		stop()
		if got.Attempt != 3 {
			t.Fatalf("got.Attempt = %d, want 3", got.Attempt)
		}
		if !got.Last {
			t.Fatal("got.Last is false, want true")
		}
		if string(got.Delivery.Body) != "{}" {
			t.Fatalf("string(got.Delivery.Body) = %q, want \"{}\"", string(got.Delivery.Body))
		}
	})
	synctestRun(t, "those with the fewest crashes run first", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a", "b")
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 2, Lease: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		_, err = in.Begin(t.Context(), claims[0])
		if err != nil {
			t.Fatal(err)
		}
		advance(2 * time.Second)
		h, ran, _ := alone(time.Second)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"b", "a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "they run after other deliveries of the same claim", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a")
		putDelivery(t, in, "fresh", nil)
		h, ran, most := alone(time.Minute)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(5 * time.Minute)
		stop()
		if diff := cmp.Diff([]string{"fresh", "a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := most.Load(); got != 1 {
			t.Fatalf("most.Load() = %d, want 1", got)
		}
	})
	synctestRun(t, "another callback that hangs delays them by Timeout and one lease at most", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a")
		putDelivery(t, in, "hang", nil)
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(15 * time.Minute)
		if diff := cmp.Diff([]string{"hang"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := w.Health().Suspects; got != 1 {
			t.Fatalf("w.Health().Suspects = %d, want 1", got)
		}
		putDelivery(t, in, "new", nil)
		advance(31 * time.Second)
		if diff := cmp.Diff([]string{"hang", "a", "new"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		release(2)
		advance(time.Minute)
		stop()
	})
	synctestRun(t, "a suspect that hangs delays the others no longer than that", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "hang", "other")
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(16 * time.Minute)
		if diff := cmp.Diff([]string{"hang", "other"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		release(2)
		advance(time.Minute)
		stop()
	})
	synctestRun(t, "those that wait at shutdown are put back uncounted, as suspects", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a", "b", "c")
		h, ran, _ := alone(5 * time.Second)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Second)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if len(j.settled) != 3 {
			t.Fatalf("len(j.settled) = %d, want 3: %v", len(j.settled), j.settled)
		}
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 2 {
			t.Fatalf("len(claims) = %d, want 2: %v", len(claims), claims)
		}
		for _, c := range claims {
			if !c.Suspect {
				t.Fatal("c.Suspect is false, want true")
			}
			if c.Attempt != 3 {
				t.Fatalf("c.Attempt = %d, want 3", c.Attempt)
			}
		}
	})
	synctestRun(t, "a suspect that cannot begin is tried again", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a")
		var asked atomic.Int64
		in.onBegin = func(context.Context) error {
			if asked.Add(1) < 4 {
				return errBoom
			}
			return nil
		}
		h, ran, _ := alone(time.Second)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "a suspect whose claim is lost before Begin does not run", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a", "b")
		var asked atomic.Int64
		in.onBegin = func(context.Context) error {
			if asked.Add(1) == 1 {
				return fmt.Errorf("unreadable: %w", webhook.ErrClaimLost)
			}
			return nil
		}
		h, ran, _ := alone(time.Second)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(10 * time.Second)
		stop()
		if diff := cmp.Diff([]string{"b"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if len(j.lost) != 1 {
			t.Fatalf("len(j.lost) = %d, want 1: %v", len(j.lost), j.lost)
		}
	})
}
