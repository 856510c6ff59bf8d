package webhook_test

import (
	"errors"

	"github.com/google/go-cmp/cmp"

	"bytes"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		settle(t, in, c, webhook.Outcome{State: s})
	}
	return len(claims)
}

func TestMemInboxIsBounded(t *testing.T) {
	synctestRun(t, "unfinished deliveries fill it", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2}
		putDelivery(t, in, "a", nil)
		if err := in.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		putDelivery(t, in, "b", nil)
		if err := in.Ping(t.Context()); !errors.Is(err, webhook.ErrOverloaded) {
			t.Fatalf("in.Ping(t.Context()) = %v, want %v", err, webhook.ErrOverloaded)
		}
		refused := &webhook.Delivery{UID: "c", DedupKeys: []string{"key"}}
		if err := in.Put(t.Context(), refused); !errors.Is(err, webhook.ErrOverloaded) {
			t.Fatalf("in.Put(refused) = %v, want %v", err, webhook.ErrOverloaded)
		}
		if got := finish(t, in, webhook.Done); got != 2 {
			t.Fatalf("finish(in, webhook.Done) = %d, want 2", got)
		}
		if err := in.Put(t.Context(), refused); err != nil {
			t.Fatalf("the refused delivery left no dedup key: %v", err)
		}
	})
	synctestRun(t, "their bodies fill it", func(t *testing.T) {
		in := &webhook.MemInbox{MaxBytes: 10}
		body := func(size int) func(d *webhook.Delivery) {
			return func(d *webhook.Delivery) { d.Body = bytes.Repeat([]byte("x"), size) }
		}
		putDelivery(t, in, "a", body(6))
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "b", Body: []byte("12345")}); !errors.Is(err, webhook.ErrOverloaded) {
			t.Fatalf(`in.Put(&webhook.Delivery{UID: "b", Body: []byte("12345")}) = %v, want %v`, err, webhook.ErrOverloaded)
		}
		putDelivery(t, in, "c", body(4))
		finish(t, in, webhook.Done)
		putDelivery(t, in, "d", body(10))
		if diff := cmp.Diff(map[webhook.State]int{webhook.Waiting: 1}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "the delivery that finished first is deleted first, and stays a duplicate by its dedup keys", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 3}
		first := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.DedupKeys = []string{"first"} })
		finish(t, in, webhook.Done)
		second := putDelivery(t, in, "b", nil)
		finish(t, in, webhook.Ignored)
		putDelivery(t, in, "c", nil)
		putDelivery(t, in, "d", nil)
		if got := stateOf(t, in, second); got != webhook.Ignored {
			t.Fatalf("stateOf(in, second) = %q, want %q", got, webhook.Ignored)
		}
		again := &webhook.Delivery{UID: "e", Source: first.Source, DedupKeys: first.DedupKeys}
		if got := stateOf(t, in, again); got != webhook.Done {
			t.Fatalf("stateOf(in, again) = %q, want %q", got, webhook.Done)
		}
	})
	synctestRun(t, "a revived delivery is not deleted to make room", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2}
		identified := func(d *webhook.Delivery) { d.ID, d.DedupKeys = "id", []string{"id:id"} }
		d := putDelivery(t, in, "a", identified)
		finish(t, in, webhook.Dead)
		again := *d
		again.UID = "redelivered"
		if got := stateOf(t, in, &again); got != webhook.Waiting {
			t.Fatalf("stateOf(in, &again) = %q, want %q", got, webhook.Waiting)
		}
		putDelivery(t, in, "b", nil)
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "c"}); !errors.Is(err, webhook.ErrOverloaded) {
			t.Fatalf(`in.Put(&webhook.Delivery{UID: "c"}) = %v, want %v`, err, webhook.ErrOverloaded)
		}
		if got := stateOf(t, in, d); got != webhook.Waiting {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Waiting)
		}
	})
	synctestRun(t, "a delivery that finished twice frees its bytes once", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2, MaxBytes: 100, DeadRetention: time.Hour, Logger: quiet}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) {
			d.ID, d.DedupKeys, d.Body = "id", []string{"id:id"}, make([]byte, 60)
		})
		finish(t, in, webhook.Dead)
		again := *d
		again.UID = "redelivered"
		if got := stateOf(t, in, &again); got != webhook.Waiting {
			t.Fatalf("stateOf(in, &again) = %q, want %q", got, webhook.Waiting)
		}
		finish(t, in, webhook.Dead)
		advance(2 * time.Hour)
		n, err := in.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n != 1 {
			t.Fatalf("n = %d, want 1", n)
		}
		putDelivery(t, in, "b", func(d *webhook.Delivery) { d.Body = make([]byte, 60) })
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "c", Body: make([]byte, 60)}); !errors.Is(err, webhook.ErrOverloaded) {
			t.Fatalf(`in.Put(&webhook.Delivery{UID: "c", Body: make([]byte, 60)}) = %v, want %v`, err, webhook.ErrOverloaded)
		}
	})
	synctestRun(t, "a delivery that finished again is kept from then on", func(t *testing.T) {
		in := &webhook.MemInbox{DeadRetention: time.Hour}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.ID, d.DedupKeys = "id", []string{"id:id"} })
		finish(t, in, webhook.Dead)
		advance(2 * time.Hour)
		again := *d
		again.UID = "redelivered"
		if got := stateOf(t, in, &again); got != webhook.Waiting {
			t.Fatalf("stateOf(in, &again) = %q, want %q", got, webhook.Waiting)
		}
		finish(t, in, webhook.Dead)
		n, err := in.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Fatalf("n = %d, want 0", n)
		}
		if got := stateOf(t, in, d); got != webhook.Dead {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Dead)
		}
	})
	synctestRun(t, "dedup keys are deleted after Window", func(t *testing.T) {
		in := &webhook.MemInbox{Window: time.Hour}
		withKey := func(d *webhook.Delivery) { d.DedupKeys = []string{"key"} }
		putDelivery(t, in, "a", withKey)
		advance(59 * time.Minute)
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "b", Source: "alpha", DedupKeys: []string{"key"}}); !errors.Is(err, webhook.ErrDuplicate) {
			t.Fatalf("in.Put(...) = %v, want %v", err, webhook.ErrDuplicate)
		}
		advance(2 * time.Minute)
		putDelivery(t, in, "c", withKey)
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "d", Source: "alpha", DedupKeys: []string{"key"}}); !errors.Is(err, webhook.ErrDuplicate) {
			t.Fatalf("in.Put(...) = %v, want %v", err, webhook.ErrDuplicate)
		}
	})
	synctestRun(t, "the oldest of too many dedup keys are deleted", func(t *testing.T) {
		in := &webhook.MemInbox{MaxDeliveries: 2} // eight dedup keys
		for i := range 10 {
			putDelivery(t, in, fmt.Sprint(i), func(d *webhook.Delivery) { d.DedupKeys = []string{fmt.Sprint("dedup key ", i)} })
			finish(t, in, webhook.Done)
		}
		putDelivery(t, in, "old", func(d *webhook.Delivery) { d.DedupKeys = []string{"dedup key 1"} })
		if err := in.Put(t.Context(), &webhook.Delivery{UID: "new", Source: "alpha", DedupKeys: []string{"dedup key 9"}}); !errors.Is(err, webhook.ErrDuplicate) {
			t.Fatalf("in.Put(...) = %v, want %v", err, webhook.ErrDuplicate)
		}
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
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
			}
			settle(t, in, claims[0], o)
		}
		for _, step := range []struct {
			after time.Duration
			uid   string
		}{{time.Minute, "soon"}, {time.Hour, "later"}} {
			advance(step.after)
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
			}
			if claims[0].Delivery.UID != step.uid {
				t.Fatalf("claims[0].Delivery.UID = %q, want %q", claims[0].Delivery.UID, step.uid)
			}
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
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
			}
			settle(t, in, claims[0], o)
			if o.RetryOutOfOrder {
				putDelivery(t, in, "younger", keyed("key"))
			}
		}
		if got := stateOf(t, in, &webhook.Delivery{UID: "younger"}); got != webhook.Waiting {
			t.Fatalf(`stateOf(in, &webhook.Delivery{UID: "younger"}) = %q, want %q`, got, webhook.Waiting)
		}
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
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 1 {
			t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
		}
		older := putDelivery(t, in, "older", coalesce)
		putDelivery(t, in, "newest", coalesce)
		if got := stateOf(t, in, older); got != webhook.Superseded {
			t.Fatalf("stateOf(in, older) = %q, want %q", got, webhook.Superseded)
		}
		advance(time.Minute)
		claims, err = in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 1 {
			t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
		}
		if claims[0].Delivery.UID != "newest" {
			t.Fatalf("claims[0].Delivery.UID = %q, want \"newest\"", claims[0].Delivery.UID)
		}
		if got := stateOf(t, in, expired); got != webhook.Superseded {
			t.Fatalf("stateOf(in, expired) = %q, want %q", got, webhook.Superseded)
		}
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
		if err != nil {
			t.Fatal(err)
		}
		settle(t, in, claims[0], webhook.Outcome{State: webhook.Waiting, Delay: time.Hour})
		advance(time.Minute)
		putDelivery(t, in, "new", coalesce)
		if got := finish(t, in, webhook.Done); got != 0 {
			t.Fatalf("its own burst has just begun: finish(in, webhook.Done) = %d, want 0", got)
		}
		advance(time.Second)
		if got := finish(t, in, webhook.Done); got != 1 {
			t.Fatalf("finish(in, webhook.Done) = %d, want 1", got)
		}
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
		if got := stateOf(t, in, &again); got != webhook.Waiting {
			t.Fatalf("stateOf(in, &again) = %q, want %q", got, webhook.Waiting)
		}
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 2 {
			t.Fatalf("len(claims) = %d, want 2: %v", len(claims), claims)
		}
		if claims[0].Delivery.UID != "b" {
			t.Fatalf("claims[0].Delivery.UID = %q, want \"b\"", claims[0].Delivery.UID)
		}
	})
}

func TestMemInboxCountsWhatItKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		if got := counts(t, in); len(got) != 0 {
			t.Fatalf("counts(in) = %v, want empty", got)
		}
		putDelivery(t, in, "a", keyed("key"))
		putDelivery(t, in, "b", keyed("key"))
		putDelivery(t, in, "c", nil)
		_, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Claimed: 1, webhook.Blocked: 1, webhook.Waiting: 1}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
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
	if err := put("first", "12345"); err != nil {
		t.Fatal(err)
	}
	claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, in, claims[0], webhook.Outcome{State: webhook.Dead})
	if err := put("large", "12345678901"); !errors.Is(err, webhook.ErrOverloaded) {
		t.Fatalf(`put("large", "12345678901") = %v, want %v`, err, webhook.ErrOverloaded)
	}
	if err := in.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[webhook.State]int{webhook.Dead: 1}, counts(t, in)); diff != "" {
		t.Fatalf("counts(in) (-want +got):\n%s", diff)
	}
}
