package spool_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A target is a Handler that a test makes fail. It stores what it takes.
type target struct {
	inbox webhook.MemInbox
	takes time.Duration // of a call

	mu      sync.Mutex
	err     error // nil: it works
	running int
	most    int // of calls at the same time since the last reset
	calls   int
	order   map[string][]string // UIDs by ordering key, as they were stored
}

func (g *target) Handle(ctx context.Context, d *webhook.Delivery) error {
	g.mu.Lock()
	err := g.err
	g.calls++
	g.running++
	g.most = max(g.most, g.running)
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.running--
	}()
	select {
	case <-time.After(g.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if err := g.inbox.Put(ctx, d); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.order == nil {
		g.order = make(map[string][]string)
	}
	g.order[d.OrderingKey] = append(g.order[d.OrderingKey], d.UID)
	return nil
}

// set sets the error of the calls from now on, and forgets what most has seen.
func (g *target) set(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err, g.most, g.calls = err, g.running, 0
}

func (g *target) seen() (most, calls int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.most, g.calls
}

// requireOrder requires that n deliveries were stored, each once, and each ordering key in
// order.
func (g *target) requireOrder(t *testing.T, n int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	stored := 0
	for key, uids := range g.order {
		stored += len(uids)
		if !slices.IsSorted(uids) || len(slices.Compact(slices.Clone(uids))) != len(uids) {
			t.Errorf("key %q: %v are stored, want each once and in order", key, uids)
		}
	}
	if stored != n {
		t.Errorf("%d are stored, want %d", stored, n)
	}
}

// putMany puts n deliveries of the given number of ordering keys, from a number on.
func putMany(t *testing.T, in webhook.Inbox, from, n, keys int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		putDelivery(t, in, fmt.Sprintf("%05d", i), keyed(fmt.Sprint("key", i%keys)))
	}
}

func TestRelayTriesOneDeliveryAtATimeWhileItsHandlerFails(t *testing.T) {
	for _, relays := range []int{1, 2} {
		synctestRun(t, fmt.Sprint(relays, " relays share the queue"), func(t *testing.T) {
			from, to := &webhook.MemInbox{}, &target{takes: 100 * time.Millisecond}
			putMany(t, from, 0, 1000, 200)
			to.set(errBoom)
			for range relays {
				defer start(t, newRelay(from, to))()
			}
			advance(time.Minute) // the first calls fail together
			to.set(errBoom)
			advance(time.Hour)
			if most, calls := to.seen(); most != relays || calls < 300*relays || calls > 800*relays {
				t.Errorf("%d calls in an hour, at most %d at the same time; want one every 5 to 10 s for each relay, and %d at the same time", calls, most, relays)
			}
			if got := pendingIn(t, from); got != 1000 {
				t.Errorf("%d are pending, want 1000", got)
			}
			to.set(nil)
			advance(5 * time.Minute)
			if most, _ := to.seen(); most <= 2*relays {
				t.Errorf("at most %d calls at the same time after the failure, want more", most)
			}
			if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 1000}, counts(t, from)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			to.requireOrder(t, 1000)
		})
	}
}

// A call of a frozen target ends at its time limit only.
func TestRelayTriesOneDeliveryAtATimeWhileItsHandlerIsFrozen(t *testing.T) {
	synctestRun(t, "for an hour", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &target{takes: time.Millisecond}
		frozen := &target{takes: 24 * time.Hour}
		putMany(t, from, 0, 100, 100)
		thaws := time.Now().Add(time.Hour)
		defer start(t, newRelay(from, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			if time.Now().Before(thaws) {
				return frozen.Handle(ctx, d)
			}
			return to.Handle(ctx, d)
		})))()
		advance(time.Minute)
		frozen.set(nil)
		advance(time.Hour)
		if most, calls := frozen.seen(); most != 1 || calls > 200 {
			t.Errorf("%d calls in an hour, at most %d at the same time; want 1 at the same time, of 20 s each", calls, most)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 100}, counts(t, from)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		to.requireOrder(t, 100)
	})
}
