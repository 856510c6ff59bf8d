package spool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

func TestSpoolKeepsOrderWhileItReturnsToPrimary(t *testing.T) {
	for round := range 30 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			sim := &simulation{rng: rand.New(rand.NewPCG(uint64(round), 0))}
			short := func() time.Duration { return sim.upTo(3 * time.Millisecond) }
			r.primary.delay, r.local.delay = short, short
			r.set(slow)
			r.setLocal(replyLate, "Put", "Pending", "Settle")
			putDelivery(t, r.local.inbox, "left", keyed("other"))
			ctx, cancel := context.WithCancel(t.Context())
			var running, senders sync.WaitGroup
			running.Go(func() { _ = r.Run(ctx) })
			for _, key := range []string{"one", "two"} {
				senders.Go(func() {
					for n := range 50 {
						d := &webhook.Delivery{UID: fmt.Sprintf("%s-%02d", key, n), Source: "alpha", Type: "alpha.event", OrderingKey: key}
						if err := r.Handle(t.Context(), d); err != nil {
							t.Error(err)
						}
						<-time.After(short())
					}
				})
			}
			senders.Wait()
			advance(time.Minute)
			cancel()
			running.Wait()
			last := make(map[string]string)
			for _, uid := range inOrder(t, r.primary.inbox) {
				key := uid[:3]
				if uid < last[key] {
					t.Errorf("round %d: %s is after %s", round, uid, last[key])
				}
				last[key] = uid
			}
			if diff := cmp.Diff(map[string]string{"lef": "left", "one": "one-49", "two": "two-49"}, last); diff != "" {
				t.Fatalf("last (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpoolDuplicatesAreSuccess(t *testing.T) {
	withDedupKey := func(uid string) *webhook.Delivery {
		return &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", ID: "id", DedupKeys: []string{"id:id"}}
	}
	known := func(t *testing.T, err error) *webhook.DuplicateError {
		t.Helper()
		e, ok := errors.AsType[*webhook.DuplicateError](err)
		if !ok {
			t.Fatalf("%v", err)
		}
		return e
	}
	synctestRun(t, "of a delivery in primary", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		if err := r.Handle(t.Context(), withDedupKey("1")); err != nil {
			t.Fatal(err)
		}
		if got := known(t, r.Handle(t.Context(), withDedupKey("2"))).UID; got != "1" {
			t.Fatalf(`known(r.Handle(withDedupKey("2"))).UID = %q, want %q`, got, "1")
		}
	})
	synctestRun(t, "of a delivery in local only", func(t *testing.T) {
		r := newRig()
		if err := r.Handle(t.Context(), withDedupKey("1")); err != nil {
			t.Fatal(err)
		}
		if got := known(t, r.Handle(t.Context(), withDedupKey("2"))).State; got != webhook.Waiting {
			t.Fatalf(`known(r.Handle(withDedupKey("2"))).State = %q, want %q`, got, webhook.Waiting)
		}
	})
	synctestRun(t, "of a delivery in primary, while forwarding", func(t *testing.T) {
		r := newRig()
		putDelivery(t, r.primary.inbox, "1", func(d *webhook.Delivery) { d.DedupKeys = []string{"id:id"} })
		if err := r.Handle(t.Context(), withDedupKey("2")); err != nil {
			t.Fatal(err)
		}
		defer r.run(t)()
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 1}, counts(t, r.local.inbox)); diff != "" {
			t.Fatalf("counts(r.local.inbox) (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"1"}, inOrder(t, r.primary.inbox)); diff != "" {
			t.Fatalf("inOrder(r.primary.inbox) (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "of a forwarded delivery that is dead in primary, which revives it", func(t *testing.T) {
		r := newRig()
		if err := r.Handle(t.Context(), withDedupKey("1")); err != nil {
			t.Fatal(err)
		}
		stop := r.run(t)
		if got := finish(t, r.primary.inbox, webhook.Dead); got != 1 {
			t.Fatalf("finish(r.primary.inbox, webhook.Dead) = %d, want 1", got)
		}
		stop()
		r.Spool = spool.New(webhook.Store(r.primary), r.local) // starts with local
		r.Logger = slog.New(slog.DiscardHandler)
		if err := r.Handle(t.Context(), withDedupKey("2")); err != nil {
			t.Fatal(err)
		}
		defer r.run(t)()
		if diff := cmp.Diff([]string{"1"}, inOrder(t, r.primary.inbox)); diff != "" {
			t.Fatalf("inOrder(r.primary.inbox) (-want +got):\n%s", diff)
		}
	})
}

func TestSpoolForwardsEveryFieldOfADelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for i, header := range []http.Header{nil, {"X-Event": {"push"}}, {"Hookhouse-Spool": {"the sender's", "own"}}} {
			for _, burst := range []webhook.Coalesce{{}, {Quiet: time.Second, Max: time.Minute}} {
				r := newRig()
				want := &webhook.Delivery{
					UID: fmt.Sprint(i), Source: "alpha", ID: "id", Type: "alpha.event", OrderingKey: "key", DedupKeys: []string{"id:id"},
					Coalesce: burst, Header: header.Clone(), Body: []byte("{\x00}"), KeyLabel: "label", ReceivedAt: time.Now(),
					NotBefore: time.UnixMicro(1), Malformed: "not an object",
				}
				given := *want
				given.Header = header.Clone()
				if err := r.Handle(t.Context(), &given); err != nil {
					t.Fatal(err)
				}
				ignore := cmpopts.IgnoreUnexported(webhook.Delivery{})
				if got := cmp.Diff(want, &given, ignore); got != "" {
					t.Fatalf("Handle does not change the delivery: cmp.Diff(want, &given, ignore) = %q, want empty", got)
				}
				stop := r.run(t)
				advance(time.Second)
				claims, err := r.primary.inbox.Claim(t.Context(), webhook.ClaimOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if len(claims) != 1 {
					t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
				}
				if got := cmp.Diff(want, claims[0].Delivery, ignore); got != "" {
					t.Fatalf("cmp.Diff(want, claims[0].Delivery, ignore) = %q, want empty", got)
				}
				stop()
			}
		}
	})
}

// Local must not keep a delivery until its NotBefore: everything that comes meanwhile
// would go to local too.
func TestSpoolLeavesNotBeforeToPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		at := time.Now().Add(time.Hour)
		if err := r.Handle(t.Context(), &webhook.Delivery{UID: "1", Source: "alpha", Type: "alpha.event", NotBefore: at}); err != nil {
			t.Fatal(err)
		}
		for name, at := range map[string]time.Time{"before 1970": time.Unix(-1, 0), "too late": time.Unix(1<<55, 0)} {
			if err := r.Handle(t.Context(), &webhook.Delivery{UID: name, Source: "alpha", NotBefore: at}); !webhook.IsPermanent(err) {
				t.Errorf("%s: Handle returned %v, want a permanent error", name, err)
			}
		}
		defer r.run(t)()
		if got := pendingIn(t, r.local.inbox); got != 0 {
			t.Errorf("%d are left in local, want 0", got)
		}
		if got := inOrder(t, r.primary.inbox); len(got) != 0 {
			t.Errorf("primary gave out %v before NotBefore", got)
		}
		advance(time.Hour)
		if diff := cmp.Diff([]string{"1"}, inOrder(t, r.primary.inbox)); diff != "" {
			t.Errorf("after NotBefore (-want +got):\n%s", diff)
		}
	})
}

func TestSpoolLeavesCoalescingToPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		for i := range 3 {
			if err := r.Handle(t.Context(), &webhook.Delivery{
				UID: fmt.Sprint(i), Source: "alpha", Type: "alpha.event", OrderingKey: "key", DedupKeys: []string{fmt.Sprint(i)},
				Coalesce: webhook.Coalesce{Quiet: time.Minute},
			}); err != nil {
				t.Fatal(err)
			}
		}
		defer r.run(t)()
		if got := pendingIn(t, r.local.inbox); got != 0 {
			t.Fatalf("local does not coalesce: pendingIn(r.local.inbox) = %d, want 0", got)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Superseded: 2, webhook.Waiting: 1}, counts(t, r.primary.inbox)); diff != "" {
			t.Fatalf("counts(r.primary.inbox) (-want +got):\n%s", diff)
		}
		advance(time.Minute)
		if diff := cmp.Diff([]string{"2"}, inOrder(t, r.primary.inbox)); diff != "" {
			t.Fatalf("inOrder(r.primary.inbox) (-want +got):\n%s", diff)
		}
	})
}
