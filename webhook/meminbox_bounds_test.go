package webhook_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

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
