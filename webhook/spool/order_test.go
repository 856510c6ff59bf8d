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
	"github.com/stretchr/testify/require"

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
			require.Equal(t, map[string]string{"lef": "left", "one": "one-49", "two": "two-49"}, last)
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
		require.True(t, ok, "%v", err)
		return e
	}
	synctestRun(t, "of a delivery in primary", func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		require.NoError(t, r.Handle(t.Context(), withDedupKey("1")))
		require.Equal(t, "1", known(t, r.Handle(t.Context(), withDedupKey("2"))).UID)
	})
	synctestRun(t, "of a delivery in local only", func(t *testing.T) {
		r := newRig()
		require.NoError(t, r.Handle(t.Context(), withDedupKey("1")))
		require.Equal(t, webhook.Waiting, known(t, r.Handle(t.Context(), withDedupKey("2"))).State)
	})
	synctestRun(t, "of a delivery in primary, while forwarding", func(t *testing.T) {
		r := newRig()
		putDelivery(t, r.primary.inbox, "1", func(d *webhook.Delivery) { d.DedupKeys = []string{"id:id"} })
		require.NoError(t, r.Handle(t.Context(), withDedupKey("2")))
		defer r.run(t)()
		require.Equal(t, map[webhook.State]int{webhook.Done: 1}, counts(t, r.local.inbox))
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
	})
	synctestRun(t, "of a forwarded delivery that is dead in primary, which revives it", func(t *testing.T) {
		r := newRig()
		require.NoError(t, r.Handle(t.Context(), withDedupKey("1")))
		stop := r.run(t)
		require.Equal(t, 1, finish(t, r.primary.inbox, webhook.Dead))
		stop()
		r.Spool = spool.New(webhook.Store(r.primary), r.local) // starts with local
		r.Logger = slog.New(slog.DiscardHandler)
		require.NoError(t, r.Handle(t.Context(), withDedupKey("2")))
		defer r.run(t)()
		require.Equal(t, []string{"1"}, inOrder(t, r.primary.inbox))
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
				}
				given := *want
				given.Header = header.Clone()
				require.NoError(t, r.Handle(t.Context(), &given))
				ignore := cmpopts.IgnoreUnexported(webhook.Delivery{})
				require.Empty(t, cmp.Diff(want, &given, ignore), "Handle does not change the delivery")
				stop := r.run(t)
				advance(time.Second)
				claims, err := r.primary.inbox.Claim(t.Context(), webhook.ClaimOptions{})
				require.NoError(t, err)
				require.Len(t, claims, 1)
				require.Empty(t, cmp.Diff(want, claims[0].Delivery, ignore))
				stop()
			}
		}
	})
}

func TestSpoolLeavesCoalescingToPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		for i := range 3 {
			require.NoError(t, r.Handle(t.Context(), &webhook.Delivery{
				UID: fmt.Sprint(i), Source: "alpha", Type: "alpha.event", OrderingKey: "key", DedupKeys: []string{fmt.Sprint(i)},
				Coalesce: webhook.Coalesce{Quiet: time.Minute},
			}))
		}
		defer r.run(t)()
		require.Zero(t, pendingIn(t, r.local.inbox), "local does not coalesce")
		require.Equal(t, map[webhook.State]int{webhook.Superseded: 2, webhook.Waiting: 1}, counts(t, r.primary.inbox))
		advance(time.Minute)
		require.Equal(t, []string{"2"}, inOrder(t, r.primary.inbox))
	})
}
