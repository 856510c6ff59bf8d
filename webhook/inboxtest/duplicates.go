package inboxtest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/webhook"
)

// duplicates: what is known is refused, by UID or by dedup key.
var duplicates = []law{
	{"a known UID is a duplicate of itself", func(t *trial) {
		d := t.put("")
		if known := t.duplicate(d); known.UID != d.UID || known.State != webhook.Waiting {
			t.Errorf("duplicate of %s, which is %s; want %s, which is waiting", known.UID, known.State, d.UID)
		}
	}},
	{"a known dedup key makes a duplicate of the first", func(t *trial) {
		d := t.put("", "a", "b")
		if known := t.duplicate(t.delivery("", "c", "b")); known.UID != d.UID {
			t.Errorf("duplicate of %s, want %s", known.UID, d.UID)
		}
	}},
	{"a duplicate put stores nothing", func(t *trial) {
		d := t.put("", "a")
		t.duplicate(t.delivery("", "a"))
		if got := uids(t.all()); !slices.Equal(got, []string{d.UID}) {
			t.Errorf("claimed %v, want the first alone", got)
		}
	}},
	{"a duplicate tells the state of the first", func(t *trial) {
		for _, want := range []webhook.State{webhook.Done, webhook.Ignored} {
			d := t.put("", "dedup key of "+string(want))
			if got := t.state(d); got != webhook.Waiting {
				t.Errorf("state %q of one that waits", got)
			}
			c := t.claimOf(d)
			if got := t.state(d); got != webhook.Claimed {
				t.Errorf("state %q of one that is claimed", got)
			}
			t.end(c, want)
			if got := t.state(d); got != want {
				t.Errorf("state %q of one that is %s", got, want)
			}
		}
	}},
	{"a redelivery of what is done stores nothing", func(t *trial) {
		d := t.delivery("", "a")
		d.ID = "id"
		t.store(d)
		t.end(t.claim(), webhook.Done)
		if known := t.duplicate(t.redelivery(d)); known.Revived {
			t.Errorf("what was done is %s again", known.State)
		}
		t.nothing("it is done")
	}},
	{"dedup keys hold within their source", func(t *trial) {
		t.put("", "a")
		d := t.delivery("", "a")
		d.Source = "beta"
		t.store(d)
	}},
	{"a refused put leaves none of its dedup keys", func(t *trial) {
		t.put("", "a")
		t.duplicate(t.delivery("", "b", "a", "c"))
		t.put("", "b")
		t.put("", "c")
	}},
	{"deliveries without dedup keys are never duplicates", func(t *trial) {
		for range 3 {
			d := t.delivery("")
			d.ID = "the same"
			t.store(d)
		}
		if got := len(t.all()); got != 3 {
			t.Errorf("claimed %d of 3", got)
		}
	}},
	{"a dedup key that stands twice is one dedup key", func(t *trial) {
		t.put("", "a", "a")
	}},
	{"dedup keys are compared byte for byte", func(t *trial) {
		for _, mark := range []string{"name", "Name", "name ", " name", "nam\u00e9", "name\u0301", "name%", "nam_"} {
			t.put("", mark)
		}
	}},
	{"fifty puts of one UID at once store one", func(t *trial) {
		d := t.delivery("")
		t.fifty(func() *webhook.Delivery { copied := *d; return &copied })
	}},
	{"fifty puts of one dedup key at once store one", func(t *trial) {
		all := make(chan *webhook.Delivery, 50)
		for range cap(all) {
			all <- t.delivery("", "a", "b")
		}
		t.fifty(func() *webhook.Delivery { return <-all })
	}},
}

// fifty puts that many at once and demands that one is stored.
func (t *trial) fifty(next func() *webhook.Delivery) {
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
		t.Errorf("%d of 50 puts returned nil, want 1", got)
	}
	if got := len(t.all()); got != 1 {
		t.Errorf("%d deliveries were stored, want 1", got)
	}
}
