package spool_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestRelaysShareAQueue(t *testing.T) {
	synctestRun(t, "each delivery is passed on once, and each ordering key in order", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{takes: 10 * time.Millisecond}
		for range 3 {
			defer start(t, newRelay(from, to))()
		}
		for i := range 50 {
			putMany(t, from, 20*i, 20, 30)
			advance(20 * time.Millisecond)
		}
		advance(time.Minute)
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 1000}, counts(t, from)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, calls := to.seen(); calls != 1000 {
			t.Errorf("%d calls for 1000 deliveries", calls)
		}
		to.requireOrder(t, 1000)
	})
	synctestRun(t, "one is stopped and started again and again", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{takes: 10 * time.Millisecond}
		defer start(t, newRelay(from, to))()
		for i := range 40 {
			if i%10 == 5 {
				to.set(errBoom)
			}
			putMany(t, from, 20*i, 20, 30)
			stop := start(t, newRelay(from, to))
			advance(15 * time.Millisecond)
			stop()
			to.set(nil)
		}
		advance(time.Minute)
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 800}, counts(t, from)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		to.requireOrder(t, 800)
	})
	synctestRun(t, "one is killed with claims: the other takes them when their leases have expired", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{}
		putMany(t, from, 0, 100, 100)
		killed := &faultyInbox{inbox: from, fault: func(string) fault { return none }}
		ctx, kill := context.WithCancel(t.Context())
		begun, ended := make(chan struct{}, 100), make(chan error, 1)
		go func() {
			ended <- newRelay(killed, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				begun <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			})).Run(ctx)
		}()
		advance(time.Second)
		if len(begun) == 0 {
			t.Fatal("nothing is claimed")
		}
		killed.disconnect() // it neither settles nor prolongs anything
		kill()
		defer start(t, newRelay(from, to))()
		advance(time.Minute)
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 100}, counts(t, from)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		to.requireOrder(t, 100)
		<-ended
		advance(time.Minute)
	})
}

func TestRelayDrainsAsAWorkerDoes(t *testing.T) {
	synctestRun(t, "calls in progress finish, and the other deliveries can be claimed at once", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{takes: 3 * time.Second}
		putMany(t, from, 0, 40, 40)
		r := newRelay(from, to)
		r.Concurrency = 10
		stop := start(t, r)
		advance(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("Run returned after %v, want 2 s: when the calls have ended", took)
		}
		if got := counts(t, from); got[webhook.Done] != 10 || got[webhook.Waiting] != 30 {
			t.Errorf("%v, want 10 done and 30 waiting", got)
		}
		claims, err := from.Claim(t.Context(), webhook.ClaimOptions{N: 100})
		if err != nil || len(claims) != 30 {
			t.Errorf("%d can be claimed, %v, want 30", len(claims), err)
		}
		if i := slices.IndexFunc(claims, func(c webhook.Claim) bool { return c.Attempt != 1 }); i >= 0 {
			t.Errorf("%s is claimed for attempt %d, want 1", claims[i].Delivery.UID, claims[i].Attempt)
		}
		to.requireOrder(t, 10)
	})
	synctestRun(t, "while the Handler fails it returns at once, and what waits to be passed on can be claimed", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{}
		putMany(t, from, 0, 40, 40)
		to.set(errBoom)
		stop := start(t, newRelay(from, to))
		advance(time.Hour)
		began := time.Now()
		stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("Run returned after %v", took)
		}
		if got := finish(t, from, webhook.Done); got < 35 {
			t.Errorf("%d of 40 can be claimed, want 35 at least: all but those that have just failed", got)
		}
		advance(10 * time.Second) // the longest wait for a retry
		finish(t, from, webhook.Done)
		if got := counts(t, from)[webhook.Done]; got != 40 {
			t.Errorf("%d of 40 could be claimed", got)
		}
	})
	synctestRun(t, "a call that does not end is given up after ShutdownTimeout, and its delivery can be claimed", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{takes: time.Hour}
		putMany(t, from, 0, 5, 5)
		r := newRelay(from, to)
		r.ShutdownTimeout, r.Timeout = 4*time.Second, time.Hour
		stop := start(t, r)
		advance(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took < 4*time.Second || took > 6*time.Second {
			t.Errorf("Run returned after %v, want 4 s and 2 s more at most", took)
		}
		if got := finish(t, from, webhook.Done); got != 5 {
			t.Errorf("%d of 5 can be claimed", got)
		}
	})
}
