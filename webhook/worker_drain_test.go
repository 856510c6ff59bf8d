package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// drain calls Drain, which must return err (nil: nil) and take the given time.
func drain(t *testing.T, w *webhook.Worker, err error, took time.Duration) {
	t.Helper()
	start := time.Now()
	got := w.Drain(t.Context())
	if !errors.Is(got, err) {
		t.Errorf("Drain = %v, want %v", got, err)
	}
	if d := time.Since(start); d != took {
		t.Errorf("Drain took %v, want %v", d, took)
	}
	synctest.Wait() // whatever the Worker left behind would fail the test
}

// ranAre reports UIDs that did not run, or not in this order.
func ranAre(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ran (-want +got):\n%s", diff)
	}
}

func TestDrainWorksWhatIsDue(t *testing.T) {
	oneSecond := func(context.Context, *webhook.Delivery) error { work(time.Second); return nil }
	synctestRun(t, "nothing", func(t *testing.T) {
		w, _ := newTestWorker(&webhook.MemInbox{}, webhook.HandlerFunc(succeed))
		drain(t, w, nil, 0)
		if w.Health().Running {
			t.Error("Health says that it runs")
		}
	})
	synctestRun(t, "more than it has slots, and each ordering key to its end", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(oneSecond)
		w, _ := newTestWorker(plainInbox{in}, h)
		w.Concurrency, w.PollInterval = 2, time.Hour
		for i := range 6 {
			putDelivery(t, in, fmt.Sprint(i), keyed(fmt.Sprint(i%2)))
		}
		drain(t, w, nil, 3*time.Second)
		got := ran()
		slices.Sort(got)
		ranAre(t, got, "0", "1", "2", "3", "4", "5")
	})
	synctestRun(t, "what a callback puts, and a retry that is due while it works", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, d *webhook.Delivery) error {
			switch c, _ := webhook.ClaimFromContext(ctx); {
			case d.UID == "cause":
				work(time.Minute)
				return in.Put(ctx, &webhook.Delivery{UID: "effect", Source: "alpha", Type: "alpha.event"})
			case d.UID == "again" && c.Attempt == 1:
				return webhook.RetryAfter(time.Second, errBoom)
			}
			return nil
		})
		w, _ := newTestWorker(in, h)
		putDelivery(t, in, "cause", nil)
		putDelivery(t, in, "again", nil)
		drain(t, w, nil, time.Minute)
		got := ran()
		slices.Sort(got[:2])
		ranAre(t, got, "again", "cause", "again", "effect")
	})
	synctestRun(t, "types with slots of their own", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, g := newBoundWorker(in, bySpeed)
		putEach(t, in, 5, "slow.a", "fast.a")
		drain(t, w, nil, 5*time.Minute)
		if got := g.order(); len(got) != 10 || g.max["slow.a"] != 1 {
			t.Errorf("%v ran, %d at once, want 10 and 1", got, g.max["slow.a"])
		}
	})
	synctestRun(t, "a suspect, alone", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "suspect")
		putDelivery(t, in, "other", nil)
		h, ran := recorded(oneSecond)
		w, _ := newTestWorker(in, h)
		drain(t, w, nil, 2*time.Second)
		if got := ran(); len(got) != 2 {
			t.Errorf("%v ran, want 2", got)
		}
	})
	synctestRun(t, "and sweeps even if the work does not end", func(t *testing.T) {
		in := &sweepInbox{MemInbox: &webhook.MemInbox{}}
		in.left.Store(3)
		again := webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			work(time.Second)
			return in.Put(ctx, webhook.NewDelivery("alpha", d.Type, "", nil))
		})
		w, _ := newTestWorker(in, again)
		putDelivery(t, in, "a", nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain = %v, want %v", err, context.DeadlineExceeded)
		}
		if got := in.left.Load(); got != 0 {
			t.Errorf("%d left to sweep, want 0", got)
		}
	})
	synctestRun(t, "and sweeps afterwards", func(t *testing.T) {
		in := &sweepInbox{MemInbox: &webhook.MemInbox{}}
		in.left.Store(3)
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		putDelivery(t, in, "a", nil)
		drain(t, w, nil, 0)
		if got := in.left.Load(); got != 0 {
			t.Errorf("%d left to sweep, want 0", got)
		}
	})
}

// A sweepInbox has a number of deliveries left to delete, one at a time.
type sweepInbox struct {
	*webhook.MemInbox
	left atomic.Int32
}

func (in *sweepInbox) Sweep(context.Context) (int, error) {
	if in.left.Add(-1) < 0 {
		in.left.Add(1)
		return 0, nil
	}
	return 1, nil
}

func TestDrainDoesNotWaitForWhatIsNotDue(t *testing.T) {
	later := func(context.Context, *webhook.Delivery) error { return webhook.RetryAfter(time.Hour, errBoom) }
	synctestRun(t, "a retry later, and what is blocked behind it", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(later)
		w, _ := newTestWorker(in, h)
		putDelivery(t, in, "head", keyed("k"))
		behind := putDelivery(t, in, "behind", keyed("k"))
		drain(t, w, nil, 0)
		ranAre(t, ran(), "head")
		if got := stateOf(t, in, behind); got != webhook.Blocked {
			t.Errorf("the one behind is %s, want blocked", got)
		}
		advance(time.Hour)
		drain(t, w, nil, 0) // the same Worker again
		ranAre(t, ran(), "head", "head")
	})
	synctestRun(t, "the claim of another process, before its lease has expired", func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "a", nil)
		if _, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Minute}); err != nil {
			t.Fatal(err)
		}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		drain(t, w, nil, 0)
		ranAre(t, ran())
		advance(time.Minute)
		drain(t, w, nil, 0)
		ranAre(t, ran(), "a")
	})
	synctestRun(t, "types without a handler", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", nil)
		w, _ := newTestWorker(in, muxOf(webhook.HandlerFunc(succeed), "beta.event"))
		drain(t, w, nil, 0)
		if got := stateOf(t, in, d); got != webhook.Waiting {
			t.Errorf("it is %s, want waiting", got)
		}
		w, j := newTestWorker(in, webhook.HandlerFunc((&webhook.Mux{}).Handle))
		drain(t, w, nil, 0) // put back for a minute
		if got := j.last(); got.State != webhook.Waiting || !got.Uncounted {
			t.Errorf("the outcome is %+v, want waiting, uncounted", got)
		}
	})
}
