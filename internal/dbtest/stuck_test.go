package dbtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// handles is a Router of one type that writes down what ran.
type handles struct {
	mu   sync.Mutex
	runs map[string]int
}

func (h *handles) Types() []string { return []string{"alpha.push"} }

func (h *handles) Handle(_ context.Context, d *webhook.Delivery) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs[d.UID]++
	return nil
}

// A batch is what a Worker claims at once, eight; the types that are looked at,
// and the overtaken, are a hundred at most.
func TestMoreStuckRowsThanABatchDoNotStarveTheRest(t *testing.T) {
	const many = 120
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		putMany := func(n int, change func(d *webhook.Delivery, i int)) (uids []string) {
			errs := make([]error, n)
			var all sync.WaitGroup
			for i := range n {
				d := delivery("")
				change(d, i)
				uids = append(uids, d.UID)
				all.Go(func() { errs[i] = in.Put(t.Context(), d) })
			}
			all.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			return uids
		}
		left := putMany(many, func(d *webhook.Delivery, i int) { d.OrderingKey = fmt.Sprint("left", i) })
		// A worker claimed them and was killed.
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: many, Lease: time.Microsecond})
		if err != nil || len(claims) != many {
			t.Fatalf("%d claims, %v", len(claims), err)
		}
		unreadable := putMany(many, func(d *webhook.Delivery, i int) { d.OrderingKey = fmt.Sprint("key", i%7) })
		run(t, db, `UPDATE hookhouse_bodies SET envelope = '[]' WHERE id IN (SELECT id FROM hookhouse_deliveries WHERE ordering_key LIKE 'key%')`)
		nobodys := putMany(many, func(d *webhook.Delivery, i int) { d.Type = fmt.Sprint("alpha.nobodys", i%3) })
		later := putMany(many, func(d *webhook.Delivery, i int) {
			d.OrderingKey, d.Coalesce = fmt.Sprint("later", i), webhook.Coalesce{Quiet: time.Hour}
		})
		good := putMany(20, func(d *webhook.Delivery, i int) { d.OrderingKey = fmt.Sprint("key", i%7) })

		h := &handles{runs: make(map[string]int)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		w := webhook.NewWorker(in, h)
		w.PollInterval = 5 * time.Millisecond
		go func() { done <- w.Run(ctx) }()
		waitFor(t, "only those remain that nobody takes yet", func() bool {
			n, err := in.Pending(t.Context(), 10*many)
			if err != nil {
				t.Fatal(err)
			}
			return n == len(nobodys)+len(later)
		})
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, group := range []struct {
			name          string
			uids          []string
			state         webhook.State
			attempt, runs int
		}{
			{"left by a worker", left, webhook.Done, 2, 1},
			{"unreadable", unreadable, webhook.Dead, 1, 0},
			{"nobody's", nobodys, webhook.Waiting, 0, 0},
			{"later", later, webhook.Waiting, 0, 0},
			{"good", good, webhook.Done, 1, 1},
		} {
			for _, uid := range group.uids {
				r, err := in.Get(t.Context(), uid)
				if err != nil {
					t.Fatal(err)
				}
				if r.State != group.state || r.Attempt != group.attempt || h.runs[uid] != group.runs {
					t.Errorf("%s: %s is %s after %d attempts and %d runs", group.name, uid, r.State, r.Attempt, h.runs[uid])
				}
			}
		}
	})
}

func TestAStaleOwnerCannotSettle(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		a, _ := e.reopen(t, driver, dsn)
		b, _ := e.reopen(t, driver, dsn)
		d, next := put(t, a, delivery("key")), put(t, a, delivery("key"))
		claimed := func(in *sqlinbox.Inbox, lease time.Duration) (c webhook.Claim) {
			waitFor(t, "it can be claimed", func() bool {
				claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: lease})
				if err != nil {
					t.Fatal(err)
				}
				for _, c = range claims {
				}
				return len(claims) > 0
			})
			return c
		}
		stale := claimed(a, 20*time.Millisecond)
		held := claimed(b, time.Hour) // once the lease has ended
		if held.Delivery.UID != d.UID || held.Attempt != 2 || held.Fence <= stale.Fence {
			t.Fatalf("the second claim is %s, attempt %d, fence %d after %d", held.Delivery.UID, held.Attempt, held.Fence, stale.Fence)
		}
		for _, o := range []webhook.Outcome{{State: webhook.Done}, {State: webhook.Dead, Reason: "stale"}, {State: webhook.Waiting}} {
			for name, in := range map[string]*sqlinbox.Inbox{"its own inbox": a, "the other": b} {
				if _, err := in.Settle(t.Context(), stale, o); !errors.Is(err, webhook.ErrClaimLost) {
					t.Errorf("settling as %s through %s returned %v, want ErrClaimLost", o.State, name, err)
				}
			}
		}
		if err := a.Extend(t.Context(), stale, time.Hour); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend returned %v, want ErrClaimLost", err)
		}
		r, err := a.Get(t.Context(), d.UID)
		if err != nil || r.State != webhook.Claimed || r.Fence != held.Fence || r.Reason != "" || !r.Expires.Equal(held.Expires) {
			t.Errorf("it changed: %+v, %v", r, err)
		}
		if s := stateOf(t, a, next.UID); s != webhook.Blocked {
			t.Errorf("the next of the key is %s, want behind", s)
		}
		settle(t, a, held, webhook.Done) // whoever brings it
		if s := stateOf(t, b, d.UID); s != webhook.Done {
			t.Errorf("it is %s, want done", s)
		}
	})
}
