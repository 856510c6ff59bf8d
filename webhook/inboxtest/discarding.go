package inboxtest

import (
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// discarding: what Discard does.
var discarding = []law{
	{"Discard deletes the finished deliveries that match", func(t *trial) {
		var kept, gone []*webhook.Delivery
		for _, s := range []webhook.State{webhook.Done, webhook.Dead, webhook.Ignored} {
			kept = append(kept, t.finished("kept", s))
			gone = append(gone, t.finished("key", s))
		}
		t.discard(webhook.Filter{OrderingKey: "key", States: []webhook.State{webhook.Dead, webhook.Ignored}}, 2)
		t.discard(webhook.Filter{OrderingKey: "key"}, 1)
		for _, d := range gone {
			if _, err := t.admin().Get(t.Context(), d.UID); !errors.Is(err, webhook.ErrNotFound) {
				t.Errorf("Get of %s returned %v, want ErrNotFound", d.UID, err)
			}
		}
		t.requireList(webhook.Filter{}, kept[2], kept[1], kept[0])
	}},
	{"Discard deletes and counts any number of deliveries", func(t *trial) {
		const deliveries = 40
		for n := range deliveries {
			d := t.delivery("")
			if n%10 == 0 {
				d.Body = bodyOf(3 << 20)
			}
			t.store(d)
		}
		for n := 0; n < deliveries; {
			for _, c := range t.claimAll() {
				t.end(c, webhook.Dead)
				n++
			}
		}
		t.discard(webhook.Filter{States: []webhook.State{webhook.Dead}}, deliveries)
		t.requireList(webhook.Filter{})
	}},
	{"Discard skips unfinished deliveries", func(t *trial) {
		done := t.finished("key", webhook.Done)
		claimed, blocked, waiting := t.put("key"), t.put("key"), t.put("")
		c := t.claimOf(claimed)
		t.discard(webhook.Filter{Source: someSource}, 1)
		t.requireList(webhook.Filter{}, waiting, blocked, claimed)
		t.end(c, webhook.Done)
		if got := len(t.claimAll()); got != 2 {
			t.Errorf("claimed %d of 2 after %s was deleted", got, done.UID)
		}
	}},
	{"Discard with a Limit deletes the newest finished deliveries", func(t *trial) {
		first := t.finished("", webhook.Dead)
		t.finished("", webhook.Dead)
		t.finished("", webhook.Dead)
		waiting := t.put("")
		t.discard(webhook.Filter{Source: someSource, Limit: 2}, 2)
		t.requireList(webhook.Filter{}, waiting, first)
	}},
	{"dedup keys of a discarded delivery are still known", func(t *trial) {
		d := t.put("", "dedup key")
		t.end(t.claimOf(d), webhook.Done)
		t.discard(webhook.Filter{UID: d.UID}, 1)
		if known := t.duplicate(t.delivery("", d.DedupKeys...)); known.State != webhook.Done {
			t.Errorf("duplicate of a delivery in state %s, want done", known.State)
		}
	}},
	{"a redelivery of a discarded dead delivery is stored", func(t *trial) {
		d, _ := t.dead()
		t.discard(webhook.Filter{UID: d.UID}, 1)
		t.claimOf(t.store(t.redelivery(d)))
	}},
	{"a redelivery of a discarded dead delivery is stored although another one has its UID", func(t *trial) {
		d, _ := t.dead()
		t.discard(webhook.Filter{UID: d.UID}, 1)
		other := t.delivery("")
		other.UID = d.UID
		t.end(t.claimOf(t.store(other)), webhook.Dead)
		t.claimOf(t.store(t.redelivery(d)))
	}},
	{"a discard of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		t.requireNoDiscard(webhook.Filter{UID: t.delivery("").UID}, webhook.ErrNotFound)
	}},
	{"a discard of an unfinished delivery is ErrState", func(t *trial) {
		d := t.put("")
		t.requireNoDiscard(webhook.Filter{UID: d.UID}, webhook.ErrState)
		t.end(t.claimOf(d), webhook.Done)
	}},
	{"a discard without By is refused", func(t *trial) {
		d := t.finished("", webhook.Dead)
		if n, err := t.admin().Discard(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{Why: "no name"}); err == nil || n != 0 {
			t.Errorf("Discard returned %d, %v", n, err)
		}
		t.requireList(webhook.Filter{}, d)
	}},
	{"a discard with a Filter that selects all is refused", func(t *trial) {
		d := t.finished("", webhook.Dead)
		for _, f := range []webhook.Filter{{}, {Limit: 10, Bodies: true}} {
			if n, err := t.admin().Discard(t.Context(), f, someone); err == nil || n != 0 {
				t.Errorf("Discard of %+v returned %d, %v", f, n, err)
			}
		}
		t.requireList(webhook.Filter{}, d)
	}},
	{"a context that has ended discards nothing", func(t *trial) {
		d := t.finished("", webhook.Dead)
		if n, err := t.admin().Discard(t.canceled(), webhook.Filter{UID: d.UID}, someone); err == nil || errors.Is(err, webhook.ErrState) || n != 0 {
			t.Errorf("Discard returned %d, %v, want the context's error", n, err)
		}
		t.requireList(webhook.Filter{}, d)
	}},
}

// discard calls Discard, which must delete want deliveries.
func (t *trial) discard(f webhook.Filter, want int) {
	t.Helper()
	if n, err := t.admin().Discard(t.Context(), f, someone); err != nil || n != want {
		t.Fatalf("Discard returned %d, %v, want %d", n, err, want)
	}
}

// requireNoDiscard requires that Discard fails with the error.
func (t *trial) requireNoDiscard(f webhook.Filter, want error) {
	t.Helper()
	if n, err := t.admin().Discard(t.Context(), f, someone); n != 0 || !errors.Is(err, want) {
		t.Errorf("Discard returned %d, %v, want %v", n, err, want)
	}
}
