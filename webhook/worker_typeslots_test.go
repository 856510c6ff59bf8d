package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A gauge counts the callbacks in progress by type.
type gauge struct {
	mu       sync.Mutex
	now, max map[string]int
	ran      []string // UIDs, in order
}

// handle returns a Handler that counts its callbacks and calls f.
func (g *gauge) handle(f webhook.HandlerFunc) webhook.Handler {
	g.now, g.max = make(map[string]int), make(map[string]int)
	return webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		g.mu.Lock()
		g.now[d.Type]++
		g.max[d.Type] = max(g.max[d.Type], g.now[d.Type])
		g.ran = append(g.ran, d.UID)
		g.mu.Unlock()
		defer func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.now[d.Type]--
		}()
		return f(ctx, d)
	})
}

// order returns the UIDs that ran, in order.
func (g *gauge) order() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.ran)
}

// newBoundWorker returns a Worker for slow.a and slow.b with Concurrency 1 and 2, and for
// fast.a and fast.b without one. The inbox does not notify and is polled once an hour, so
// that what is claimed earlier is claimed because an attempt has ended.
func newBoundWorker(in webhook.Inbox, f webhook.HandlerFunc) (*webhook.Worker, *gauge) {
	g := new(gauge)
	w, _ := newTestWorker(plainInbox{in}, muxOf(g.handle(f), "slow.a", "slow.b", "fast.a", "fast.b"))
	w.Types = map[string]webhook.Policy{"slow.a": {Concurrency: 1}, "slow.b": {Concurrency: 2}}
	w.PollInterval, w.Timeout = time.Hour, 10*time.Hour
	return w, g
}

// bySpeed works for a minute on a slow delivery, and for a second on a fast one.
func bySpeed(_ context.Context, d *webhook.Delivery) error {
	if strings.HasPrefix(d.Type, "slow") {
		work(time.Minute)
	} else {
		work(time.Second)
	}
	return nil
}

// putEach puts n deliveries of each type, in turn.
func putEach(t *testing.T, in webhook.Inbox, n int, types ...string) {
	t.Helper()
	for i := range n {
		for _, typ := range types {
			putDelivery(t, in, fmt.Sprint(typ, i), typed(typ))
		}
	}
}

func TestConcurrencyOfATypeLeavesTheOtherSlotsFree(t *testing.T) {
	synctestRun(t, "a burst of a slow type holds its own slots only", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, g := newBoundWorker(in, bySpeed)
		putEach(t, in, 20, "slow.a", "slow.b")
		putEach(t, in, 20, "fast.a", "fast.b")
		stop := start(t, w)
		advance(15 * time.Second)
		if got := slices.DeleteFunc(g.order(), func(uid string) bool { return strings.HasPrefix(uid, "slow") }); len(got) != 40 {
			t.Errorf("%d of 40 fast deliveries ran while the slow ones wait: %v", len(got), got)
		}
		want := map[string]webhook.TypeHealth{"slow.a": {Slots: 1, InUse: 1}, "slow.b": {Slots: 2, InUse: 2}}
		if diff := cmp.Diff(want, w.Health().Types); diff != "" {
			t.Errorf("Health().Types (-want +got):\n%s", diff)
		}
		advance(30 * time.Minute)
		if got := g.order(); len(got) != 80 {
			t.Errorf("%d of 80 ran without a signal of the inbox", len(got))
		}
		stop()
		if diff := cmp.Diff(map[string]int{"slow.a": 1, "slow.b": 2}, map[string]int{"slow.a": g.max["slow.a"], "slow.b": g.max["slow.b"]}); diff != "" {
			t.Errorf("attempts at once (-want +got):\n%s", diff)
		}
		if got := g.max["fast.a"] + g.max["fast.b"]; got < 5 {
			t.Errorf("%d fast ones at once, want the 5 slots that the slow ones leave", got)
		}
	})
	synctestRun(t, "with one slot for all, the oldest of all types is next", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, g := newBoundWorker(in, bySpeed)
		w.Concurrency = 1
		want := []string{}
		for i := range 3 {
			for _, typ := range []string{"fast.a", "slow.b", "slow.a", "fast.b"} {
				uid := fmt.Sprint(typ, i)
				putDelivery(t, in, uid, typed(typ))
				advance(time.Millisecond)
				want = append(want, uid)
			}
		}
		stop := start(t, w)
		advance(time.Hour)
		stop()
		if diff := cmp.Diff(want, g.order()); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "order by key holds between a type with slots of its own and another", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, g := newBoundWorker(in, bySpeed)
		var want []string
		for i, typ := range []string{"slow.a", "fast.a", "slow.b", "slow.a", "fast.b"} {
			uid := fmt.Sprint(i)
			putDelivery(t, in, uid, func(d *webhook.Delivery) { d.Type, d.OrderingKey = typ, "k" })
			want = append(want, uid)
		}
		w.PollInterval = time.Second
		stop := start(t, w)
		advance(time.Hour)
		stop()
		if diff := cmp.Diff(want, g.order()); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestSlotOfATypeIsHeldUntilTheAttemptHasEnded(t *testing.T) {
	for _, test := range []struct {
		name string
		f    webhook.HandlerFunc
	}{
		{"success", bySpeed},
		{"failure", func(ctx context.Context, d *webhook.Delivery) error { return errors.Join(bySpeed(ctx, d), errBoom) }},
		{"panic", func(ctx context.Context, d *webhook.Delivery) error { _ = bySpeed(ctx, d); panic("boom") }},
		{"Goexit", func(ctx context.Context, d *webhook.Delivery) error {
			_ = bySpeed(ctx, d)
			runtime.Goexit()
			return nil
		}},
	} {
		synctestRun(t, test.name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			w, g := newBoundWorker(in, test.f)
			w.MaxAttempts = 1
			putEach(t, in, 4, "slow.a")
			stop := start(t, w)
			advance(3*time.Minute + time.Second)
			if got := g.order(); len(got) != 4 || g.max["slow.a"] != 1 {
				t.Errorf("%v ran, %d at once, want 4 ran, one at once", got, g.max["slow.a"])
			}
			advance(time.Hour)
			stop()
			if got := w.Health().Types; got != nil {
				t.Errorf("Health().Types = %v after Run, want nil", got)
			}
		})
	}
	synctestRun(t, "a settlement that fails", func(t *testing.T) {
		var down atomic.Bool
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(context.Context) error {
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		w, g := newBoundWorker(in, bySpeed)
		putEach(t, in, 2, "slow.a")
		down.Store(true)
		stop := start(t, w)
		advance(10 * time.Minute)
		if diff := cmp.Diff([]string{"slow.a0"}, g.order()); diff != "" {
			t.Errorf("ran before the first was settled (-want +got):\n%s", diff)
		}
		down.Store(false)
		advance(2 * time.Hour)
		stop()
		if diff := cmp.Diff([]string{"slow.a0", "slow.a1"}, g.order()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "an overdue callback", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran, release := hang()
		w, g := newBoundWorker(in, h.Handle)
		w.Types = map[string]webhook.Policy{"slow.a": {Concurrency: 1, Timeout: time.Minute, MaxAttempts: 1}}
		putDelivery(t, in, "hang", typed("slow.a"))
		putDelivery(t, in, "next", typed("slow.a"))
		stop := start(t, w)
		advance(5 * time.Hour)
		putDelivery(t, in, "other", typed("fast.a"))
		advance(2 * time.Hour)
		if diff := cmp.Diff([]string{"hang", "other"}, ran()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		want := map[string]webhook.TypeHealth{"slow.a": {Slots: 1, InUse: 1, Overdue: 1}}
		if diff := cmp.Diff(want, w.Health().Types); diff != "" {
			t.Errorf("Health().Types (-want +got):\n%s", diff)
		}
		release(1)
		advance(time.Second)
		if diff := cmp.Diff([]string{"hang", "other", "next"}, g.order()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		stop()
	})
}
