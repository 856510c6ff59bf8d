package inboxtest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/webhook"
)

// duplicates are the laws of Put of a known UID or dedup key.
var duplicates = []law{
	{"a second Put of a UID is a duplicate of the first", func(t *trial) {
		d := t.put("")
		if known := t.duplicate(d); known.UID != d.UID || known.State != webhook.Waiting {
			t.Errorf("duplicate of %s in state %s, want %s in state waiting", known.UID, known.State, d.UID)
		}
	}},
	{"a Put with a known dedup key is a duplicate of the first delivery", func(t *trial) {
		d := t.put("", "a", "b")
		if known := t.duplicate(t.delivery("", "c", "b")); known.UID != d.UID {
			t.Errorf("duplicate of %s, want %s", known.UID, d.UID)
		}
	}},
	{"a duplicate is not stored", func(t *trial) {
		d := t.put("", "a")
		t.duplicate(t.delivery("", "a"))
		if got := uids(t.claimAll()); !slices.Equal(got, []string{d.UID}) {
			t.Errorf("claimed %v, want only %s", got, d.UID)
		}
	}},
	{"a DuplicateError has the state of the first delivery", func(t *trial) {
		for _, want := range []webhook.State{webhook.Done, webhook.Ignored} {
			d := t.put("", "dedup key of "+string(want))
			if got := t.state(d); got != webhook.Waiting {
				t.Errorf("state %q before the claim, want waiting", got)
			}
			c := t.claimOf(d)
			if got := t.state(d); got != webhook.Claimed {
				t.Errorf("state %q under the claim, want claimed", got)
			}
			t.end(c, want)
			if got := t.state(d); got != want {
				t.Errorf("state %q after the claim, want %s", got, want)
			}
		}
	}},
	{"a redelivery of a done delivery revives nothing", func(t *trial) {
		d := t.delivery("", "a")
		d.ID = "id"
		t.store(d)
		t.end(t.claim(), webhook.Done)
		if known := t.duplicate(t.redelivery(d)); known.Revived {
			t.Errorf("it is revived, with state %s", known.State)
		}
		t.requireNoClaim("it is done")
	}},
	{"equal dedup keys of different sources are no duplicates", func(t *trial) {
		t.put("", "a")
		d := t.delivery("", "a")
		d.Source = "beta"
		t.store(d)
	}},
	{"a duplicate leaves none of its other dedup keys", func(t *trial) {
		t.put("", "a")
		t.duplicate(t.delivery("", "b", "a", "c"))
		t.put("", "b")
		t.put("", "c")
	}},
	{"deliveries without dedup keys are never duplicates of each other", func(t *trial) {
		for range 3 {
			d := t.delivery("")
			d.ID = "the same"
			t.store(d)
		}
		if got := len(t.claimAll()); got != 3 {
			t.Errorf("claimed %d of 3", got)
		}
	}},
	{"a delivery may have the same dedup key twice", func(t *trial) {
		t.put("", "a", "a")
	}},
	{"dedup keys are compared byte by byte", func(t *trial) {
		for _, key := range []string{"name", "Name", "name ", " name", "nam\u00e9", "name\u0301", "name%", "nam_"} {
			t.put("", key)
		}
	}},
	{"fifty concurrent Puts of one UID store one delivery", func(t *trial) {
		d := t.delivery("")
		t.putConcurrently(func() *webhook.Delivery { copied := *d; return &copied })
	}},
	{"fifty concurrent Puts of one dedup key store one delivery", func(t *trial) {
		all := make(chan *webhook.Delivery, 50)
		for range cap(all) {
			all <- t.delivery("", "a", "b")
		}
		t.putConcurrently(func() *webhook.Delivery { return <-all })
	}},
}

// putConcurrently makes fifty concurrent Puts, each of what next returns, and
// requires that one delivery is stored.
func (t *trial) putConcurrently(next func() *webhook.Delivery) {
	t.Helper()
	var (
		stored atomic.Int64
		puts   sync.WaitGroup
		start  = make(chan struct{})
	)
	for range 50 {
		puts.Go(func() {
			<-start
			err := t.in.Put(t.Context(), next())
			switch {
			case err == nil:
				stored.Add(1)
			case !errors.Is(err, webhook.ErrDuplicate):
				t.Errorf("Put: %v", err)
			}
		})
	}
	close(start)
	puts.Wait()
	if got := stored.Load(); got != 1 {
		t.Errorf("%d of 50 Puts returned nil, want 1", got)
	}
	if got := len(t.claimAll()); got != 1 {
		t.Errorf("%d deliveries were stored, want 1", got)
	}
}
