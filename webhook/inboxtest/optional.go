package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// notifying: the laws of a [webhook.Notifier], nothing for others.
var notifying = []law{
	{"a put is told", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			changed := n.Changed()
			t.put("")
			t.told(changed)
		}
	}},
	{"a settlement that frees a key is told", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			t.put("key")
			t.put("key")
			c := t.claim()
			changed := n.Changed()
			t.end(c, webhook.Done)
			t.told(changed)
		}
	}},
	{"a release is told", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			t.put("")
			c := t.claim()
			changed := n.Changed()
			t.release(c)
			t.told(changed)
		}
	}},
}

func (t *trial) told(changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(patience):
		t.Errorf("the channel of Changed was not closed")
	}
}

// sweeping: the laws of a [webhook.Sweeper], nothing for others.
var sweeping = []law{
	{"a redelivery of what died and was swept is stored", func(t *trial) {
		if s, ok := t.in.(webhook.Sweeper); ok {
			d, _ := t.dead()
			if got := t.sweep(s, time.Now().Add(long), plenty); got != 1 {
				t.Fatalf("swept %d, want the one that is dead", got)
			}
			t.claimOf(t.store(t.redelivery(d)))
		}
	}},
	{"sweeping deletes only what is finished", func(t *trial) {
		if s, ok := t.in.(webhook.Sweeper); ok {
			t.put("")
			t.end(t.claim(), webhook.Done)
			waiting, claimed := t.put("key"), t.put("")
			claim := t.now(webhook.ClaimOptions{N: 2, Lease: long})
			if len(claim) != 2 {
				t.Fatalf("claimed %d of 2", len(claim))
			}
			t.release(claim[0])
			behind := t.put("key")
			if got := t.sweep(s, time.Now().Add(long), plenty); got != 1 {
				t.Errorf("swept %d, want the one that is done", got)
			}
			for _, d := range []*webhook.Delivery{waiting, claimed, behind} {
				if got := t.duplicate(d); got.State.Final() {
					t.Errorf("%s is %s", d.UID, got.State)
				}
			}
		}
	}},
	{"sweeping leaves what finished later", func(t *trial) {
		if s, ok := t.in.(webhook.Sweeper); ok {
			t.put("")
			t.end(t.claim(), webhook.Done)
			if got := t.sweep(s, time.Now().Add(-long), plenty); got != 0 {
				t.Errorf("swept %d that finished a moment ago", got)
			}
		}
	}},
	{"sweeping deletes at most so many", func(t *trial) {
		if s, ok := t.in.(webhook.Sweeper); ok {
			for range 3 {
				t.put("")
				t.end(t.claim(), webhook.Done)
			}
			for _, want := range []int{2, 1, 0} {
				if got := t.sweep(s, time.Now().Add(long), 2); got != want {
					t.Errorf("swept %d with limit 2, want %d", got, want)
				}
			}
		}
	}},
	{"what was swept is still a duplicate", func(t *trial) {
		if s, ok := t.in.(webhook.Sweeper); ok {
			d := t.put("", "mark")
			t.end(t.claim(), webhook.Done)
			t.sweep(s, time.Now().Add(long), plenty)
			t.duplicate(t.delivery("", d.Unique...))
		}
	}},
}

// counting: the law of a [webhook.Pender], nothing for others.
var counting = []law{
	{"what is waiting, behind or claimed is pending", func(t *trial) {
		p, ok := t.in.(webhook.Pender)
		if !ok {
			return
		}
		t.pending(p, 0)
		t.put("")
		t.end(t.claim(), webhook.Done)
		t.put("key")
		t.claim()
		t.put("key")
		t.put("")
		t.pending(p, 3)
		if n, err := p.Pending(t.Context(), 1); err != nil || n < 1 {
			t.Errorf("Pending at most 1 of 3: %d, %v", n, err)
		}
	}},
}

func (t *trial) pending(p webhook.Pender, want int) {
	t.Helper()
	if n, err := p.Pending(t.Context(), plenty); err != nil || n != want {
		t.Errorf("Pending: %d, %v, want %d", n, err, want)
	}
}

func (t *trial) sweep(s webhook.Sweeper, finishedBefore time.Time, limit int) int {
	t.Helper()
	n, err := s.Sweep(t.Context())
	if err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	return n
}
