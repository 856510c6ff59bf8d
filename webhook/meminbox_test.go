package webhook_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

func TestMemInboxKeepsTheLawsInFakeTime(t *testing.T) {
	inboxtest.RunSynctest(t, func(*testing.T) webhook.Inbox { return &webhook.MemInbox{} })
}

func TestMemInboxKeepsTheLawsInRealTime(t *testing.T) {
	inboxtest.Run(t, func(*testing.T) webhook.Inbox { return &webhook.MemInbox{} })
}

func TestMemInboxKeepsTheLawsOfAnAdmin(t *testing.T) {
	open := func(*testing.T) webhook.Inbox { return &webhook.MemInbox{} }
	sweeping := func(_ *testing.T, retention, deadRetention time.Duration) webhook.Inbox {
		return &webhook.MemInbox{Retention: retention, DeadRetention: deadRetention, Logger: quiet}
	}
	t.Run("in fake time", func(t *testing.T) { inboxtest.RunAdminSynctest(t, open) })
	t.Run("in real time", func(t *testing.T) { inboxtest.RunAdmin(t, open) })
	t.Run("attempts in fake time", func(t *testing.T) { inboxtest.RunAttemptsSynctest(t, sweeping) })
	t.Run("attempts in real time", func(t *testing.T) { inboxtest.RunAttempts(t, sweeping) })
}

// finish claims what is due and ends all of it.
func finish(t *testing.T, in webhook.Inbox, s webhook.State) int {
	t.Helper()
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1 << 20})
	require.NoError(t, err)
	for _, c := range claims {
		settle(t, in, c, webhook.Outcome{State: s})
	}
	return len(claims)
}

func TestMemInboxIsBounded(t *testing.T) {
	synctestRun(t, "unfinished deliveries fill it", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2}
		putDelivery(t, in, "a", nil)
		require.NoError(t, in.Ping(t.Context()))
		putDelivery(t, in, "b", nil)
		require.ErrorIs(t, in.Ping(t.Context()), webhook.ErrOverloaded)
		refused := &webhook.Delivery{UID: "c", DedupKeys: []string{"key"}}
		require.ErrorIs(t, in.Put(t.Context(), refused), webhook.ErrOverloaded)
		require.Equal(t, 2, finish(t, in, webhook.Done))
		require.NoError(t, in.Put(t.Context(), refused), "the refused delivery left no dedup key")
	})
	synctestRun(t, "their bodies fill it", func(t *testing.T) {
		in := &webhook.MemInbox{MaxBytes: 10}
		body := func(size int) func(d *webhook.Delivery) {
			return func(d *webhook.Delivery) { d.Body = bytes.Repeat([]byte("x"), size) }
		}
		putDelivery(t, in, "a", body(6))
		require.ErrorIs(t, in.Put(t.Context(), &webhook.Delivery{UID: "b", Body: []byte("12345")}), webhook.ErrOverloaded)
		putDelivery(t, in, "c", body(4))
		finish(t, in, webhook.Done)
		putDelivery(t, in, "d", body(10))
		require.Equal(t, map[webhook.State]int{webhook.Waiting: 1}, counts(t, in))
	})
	synctestRun(t, "the delivery that finished first is deleted first, and stays a duplicate by its dedup keys", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 3}
		first := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.DedupKeys = []string{"first"} })
		finish(t, in, webhook.Done)
		second := putDelivery(t, in, "b", nil)
		finish(t, in, webhook.Ignored)
		putDelivery(t, in, "c", nil)
		putDelivery(t, in, "d", nil)
		require.Equal(t, webhook.Ignored, stateOf(t, in, second))
		again := &webhook.Delivery{UID: "e", Source: first.Source, DedupKeys: first.DedupKeys}
		require.Equal(t, webhook.Done, stateOf(t, in, again))
	})
	synctestRun(t, "a revived delivery is not deleted to make room", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2}
		identified := func(d *webhook.Delivery) { d.ID, d.DedupKeys = "id", []string{"id:id"} }
		d := putDelivery(t, in, "a", identified)
		finish(t, in, webhook.Dead)
		again := *d
		again.UID = "redelivered"
		require.Equal(t, webhook.Waiting, stateOf(t, in, &again))
		putDelivery(t, in, "b", nil)
		require.ErrorIs(t, in.Put(t.Context(), &webhook.Delivery{UID: "c"}), webhook.ErrOverloaded)
		require.Equal(t, webhook.Waiting, stateOf(t, in, d))
	})
	synctestRun(t, "a delivery that finished twice frees its bytes once", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2, MaxBytes: 100, DeadRetention: time.Hour, Logger: quiet}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) {
			d.ID, d.DedupKeys, d.Body = "id", []string{"id:id"}, make([]byte, 60)
		})
		finish(t, in, webhook.Dead)
		again := *d
		again.UID = "redelivered"
		require.Equal(t, webhook.Waiting, stateOf(t, in, &again))
		finish(t, in, webhook.Dead)
		advance(2 * time.Hour)
		n, err := in.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		putDelivery(t, in, "b", func(d *webhook.Delivery) { d.Body = make([]byte, 60) })
		require.ErrorIs(t, in.Put(t.Context(), &webhook.Delivery{UID: "c", Body: make([]byte, 60)}), webhook.ErrOverloaded)
	})
	synctestRun(t, "a delivery that finished again is kept from then on", func(t *testing.T) {
		in := &webhook.MemInbox{DeadRetention: time.Hour}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.ID, d.DedupKeys = "id", []string{"id:id"} })
		finish(t, in, webhook.Dead)
		advance(2 * time.Hour)
		again := *d
		again.UID = "redelivered"
		require.Equal(t, webhook.Waiting, stateOf(t, in, &again))
		finish(t, in, webhook.Dead)
		n, err := in.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
	})
	synctestRun(t, "dedup keys are deleted after Window", func(t *testing.T) {
		in := &webhook.MemInbox{Window: time.Hour}
		withKey := func(d *webhook.Delivery) { d.DedupKeys = []string{"key"} }
		putDelivery(t, in, "a", withKey)
		advance(59 * time.Minute)
		require.ErrorIs(t, in.Put(t.Context(), &webhook.Delivery{UID: "b", Source: "alpha", DedupKeys: []string{"key"}}), webhook.ErrDuplicate)
		advance(2 * time.Minute)
		putDelivery(t, in, "c", withKey)
		require.ErrorIs(t, in.Put(t.Context(), &webhook.Delivery{UID: "d", Source: "alpha", DedupKeys: []string{"key"}}), webhook.ErrDuplicate)
	})
	synctestRun(t, "the oldest of too many dedup keys are deleted", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2} // eight dedup keys
		for i := range 10 {
			putDelivery(t, in, fmt.Sprint(i), func(d *webhook.Delivery) { d.DedupKeys = []string{fmt.Sprint("dedup key ", i)} })
			finish(t, in, webhook.Done)
		}
		putDelivery(t, in, "old", func(d *webhook.Delivery) { d.DedupKeys = []string{"dedup key 1"} })
		require.ErrorIs(t, in.Put(t.Context(), &webhook.Delivery{UID: "new", Source: "alpha", DedupKeys: []string{"dedup key 9"}}), webhook.ErrDuplicate)
	})
}

func TestMemInboxFirstDueOfRetriesOutOfOrderRunsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "soon", keyed("key"))
		putDelivery(t, in, "later", keyed("key"))
		putDelivery(t, in, "done", keyed("key"))
		for _, o := range []webhook.Outcome{
			{State: webhook.Waiting, RetryOutOfOrder: true, Delay: time.Minute},
			{State: webhook.Waiting, RetryOutOfOrder: true, Delay: time.Hour},
			{State: webhook.Done},
		} {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
			require.NoError(t, err)
			require.Len(t, claims, 1)
			settle(t, in, claims[0], o)
		}
		for _, step := range []struct {
			after time.Duration
			uid   string
		}{{time.Minute, "soon"}, {time.Hour, "later"}} {
			advance(step.after)
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
			require.NoError(t, err)
			require.Len(t, claims, 1)
			require.Equal(t, step.uid, claims[0].Delivery.UID)
			settle(t, in, claims[0], webhook.Outcome{State: webhook.Done})
		}
	})
}

func TestMemInboxOlderRetryOfABurstDoesNotSupersedeAYoungerDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "older", func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "key", webhook.Coalesce{Quiet: time.Second}
		})
		advance(time.Second)
		for _, o := range []webhook.Outcome{
			{State: webhook.Waiting, RetryOutOfOrder: true, Delay: time.Hour}, // the older
			{State: webhook.Waiting}, // the younger, which passed it
		} {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
			require.NoError(t, err)
			require.Len(t, claims, 1)
			settle(t, in, claims[0], o)
			if o.RetryOutOfOrder {
				putDelivery(t, in, "younger", keyed("key"))
			}
		}
		require.Equal(t, webhook.Waiting, stateOf(t, in, &webhook.Delivery{UID: "younger"}))
	})
}

func TestMemInboxNewestOfABurstSupersedesAnExpiredClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		coalesce := func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "key", webhook.Coalesce{Quiet: time.Second}
		}
		expired := putDelivery(t, in, "expired", coalesce)
		advance(time.Second)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9, Lease: time.Minute})
		require.NoError(t, err)
		require.Len(t, claims, 1)
		older := putDelivery(t, in, "older", coalesce)
		putDelivery(t, in, "newest", coalesce)
		require.Equal(t, webhook.Superseded, stateOf(t, in, older))
		advance(time.Minute)
		claims, err = in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		require.NoError(t, err)
		require.Len(t, claims, 1)
		require.Equal(t, "newest", claims[0].Delivery.UID)
		require.Equal(t, webhook.Superseded, stateOf(t, in, expired))
	})
}

func TestMemInboxRetryIsNotPartOfTheNextBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		coalesce := func(d *webhook.Delivery) {
			d.OrderingKey, d.Coalesce = "key", webhook.Coalesce{Quiet: time.Second, Max: 3 * time.Second}
		}
		putDelivery(t, in, "old", coalesce)
		advance(time.Second)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
		require.NoError(t, err)
		settle(t, in, claims[0], webhook.Outcome{State: webhook.Waiting, Delay: time.Hour})
		advance(time.Minute)
		putDelivery(t, in, "new", coalesce)
		require.Zero(t, finish(t, in, webhook.Done), "its own burst has just begun")
		advance(time.Second)
		require.Equal(t, 1, finish(t, in, webhook.Done))
	})
}

func TestMemInboxRevivedDeliveryIsTheYoungest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.ID, d.DedupKeys = "id", []string{"id:id"} })
		finish(t, in, webhook.Dead)
		putDelivery(t, in, "b", nil)
		again := *d
		again.UID = "redelivered"
		require.Equal(t, webhook.Waiting, stateOf(t, in, &again))
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		require.NoError(t, err)
		require.Len(t, claims, 2)
		require.Equal(t, "b", claims[0].Delivery.UID)
	})
}

func TestMemInboxCountsWhatItKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		require.Empty(t, counts(t, in))
		putDelivery(t, in, "a", keyed("key"))
		putDelivery(t, in, "b", keyed("key"))
		putDelivery(t, in, "c", nil)
		_, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
		require.NoError(t, err)
		require.Equal(t, map[webhook.State]int{webhook.Claimed: 1, webhook.Blocked: 1, webhook.Waiting: 1}, counts(t, in))
	})
}

// TestMemInboxUnderLoad ends with everything done and every key in order.
func TestMemInboxUnderLoad(t *testing.T) {
	const senders, each, keys = 8, 100, 5
	in := &webhook.MemInbox{}
	var (
		putting, working sync.WaitGroup
		mu               sync.Mutex
		last             = make(map[string]string)
	)
	for s := range senders {
		putting.Go(func() {
			for i := range each {
				d := &webhook.Delivery{UID: fmt.Sprintf("%d-%03d", s, i), Source: fmt.Sprint(s), OrderingKey: fmt.Sprint(i % keys)}
				if err := in.Put(t.Context(), d); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 {
		working.Go(func() {
			for counts(t, in)[webhook.Done] < senders*each && !t.Failed() {
				claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 7})
				if err != nil {
					t.Error(err)
				}
				for _, c := range claims {
					mu.Lock()
					name := c.Delivery.Source + "/" + c.Delivery.OrderingKey
					if c.Delivery.UID <= last[name] {
						t.Errorf("%s came after %s", c.Delivery.UID, last[name])
					}
					last[name] = c.Delivery.UID
					mu.Unlock()
					if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	putting.Wait()
	working.Wait()
}

func TestMemInboxDeletesNothingForAPutThatDoesNotFit(t *testing.T) {
	in := &webhook.MemInbox{MaxBytes: 10}
	put := func(uid, body string) error {
		return in.Put(t.Context(), &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", Body: []byte(body)})
	}
	require.NoError(t, put("first", "12345"))
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
	require.NoError(t, err)
	settle(t, in, claims[0], webhook.Outcome{State: webhook.Dead})
	require.ErrorIs(t, put("large", "12345678901"), webhook.ErrOverloaded)
	require.NoError(t, in.Ping(t.Context()))
	require.Equal(t, map[webhook.State]int{webhook.Dead: 1}, counts(t, in))
}
