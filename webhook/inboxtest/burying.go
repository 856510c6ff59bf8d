package inboxtest

import (
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// burying: what Bury does.
var burying = []law{
	{"a buried delivery is dead, with the Note as its Reason", func(t *trial) {
		for note, want := range map[webhook.Note]string{{By: "ann", Why: "poison"}: "buried by ann: poison", {By: "bob"}: "buried by bob"} {
			d := t.put("key")
			t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long, Reason: "no answer"})
			begin := time.Now()
			if err := t.admin().Bury(t.Context(), d.UID, note); err != nil {
				t.Fatalf("Bury: %v", err)
			}
			if r := t.get(d); r.State != webhook.Dead || r.Reason != want || r.Attempt != 1 || !near(r.Ended, begin) {
				t.Errorf("it is %s after %d attempts, ended %v, with the reason %q, want %q", r.State, r.Attempt, r.Ended, r.Reason, want)
			}
			t.requireNoClaim("it is buried")
		}
	}},
	{"the next of the ordering key of a buried delivery takes its place", func(t *trial) {
		first, second := t.put("key"), t.put("key")
		t.bury(first)
		t.claimOf(second)
	}},
	{"a blocked delivery can be buried", func(t *trial) {
		first, second, third := t.put("key"), t.put("key"), t.put("key")
		t.bury(second)
		t.end(t.claimOf(first), webhook.Done)
		t.claimOf(third)
		if s := t.get(second).State; s != webhook.Dead {
			t.Errorf("it is %s, want dead", s)
		}
	}},
	{"a blocked delivery can be buried while the head of its ordering key is claimed", func(t *trial) {
		first, second := t.put("key"), t.put("key")
		c := t.claimOf(first)
		t.bury(second)
		t.end(c, webhook.Done)
		t.requireNoClaim("it is buried")
	}},
	{"a claimed delivery cannot be buried", func(t *trial) {
		d := t.put("")
		c := t.claimOf(d)
		t.requireNoBurial(d, webhook.ErrState)
		t.end(c, webhook.Done)
	}},
	{"a finished delivery cannot be buried", func(t *trial) {
		for _, s := range []webhook.State{webhook.Done, webhook.Dead, webhook.Ignored} {
			d := t.finished("", s)
			t.requireNoBurial(d, webhook.ErrState)
			if r := t.get(d); r.State != s {
				t.Errorf("it is %s, want %s", r.State, s)
			}
		}
	}},
	{"a burial of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		t.requireNoBurial(t.delivery(""), webhook.ErrNotFound)
	}},
	{"a buried delivery can be replayed", func(t *trial) {
		d := t.put("key")
		t.bury(d)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		t.claimOf(d)
		if got := t.get(d).Replays; len(got) != 1 || got[0].Was != webhook.Dead {
			t.Errorf("replays are %+v", got)
		}
	}},
	{"a redelivery of a buried delivery makes that run again", func(t *trial) {
		d := t.delivery("", "dedup key of a buried one")
		d.ID = "id"
		t.store(d)
		t.bury(d)
		if known := t.duplicate(t.redelivery(d)); !known.Revived || known.UID != d.UID {
			t.Errorf("Put returned %+v, want that it is revived", known)
		}
		t.claimOf(d)
	}},
	{"a settlement that is repeated after a burial returns what it led to", func(t *trial) {
		d := t.put("")
		c := t.claimOf(d)
		o := webhook.Outcome{State: webhook.Waiting, Delay: long}
		t.settle(c, o)
		t.bury(d)
		if s := t.settle(c, o); s != webhook.Waiting {
			t.Errorf("Settle returned %s, want waiting", s)
		}
	}},
	{"a burial without By is refused", func(t *trial) {
		d := t.put("")
		if err := t.admin().Bury(t.Context(), d.UID, webhook.Note{Why: "no name"}); err == nil {
			t.Errorf("Bury returned no error")
		}
		t.claimOf(d)
	}},
	{"a context that has ended buries nothing", func(t *trial) {
		d := t.put("")
		if err := t.admin().Bury(t.canceled(), d.UID, someone); err == nil || errors.Is(err, webhook.ErrState) {
			t.Errorf("Bury returned %v, want the context's error", err)
		}
		t.claimOf(d)
	}},
	{"Bury closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			d := t.put("key")
			t.put("key")
			changed := n.Changed()
			t.bury(d)
			t.requireChanged(changed)
		}
	}},
}

// bury calls Bury, which must succeed.
func (t *trial) bury(d *webhook.Delivery) {
	t.Helper()
	if err := t.admin().Bury(t.Context(), d.UID, someone); err != nil {
		t.Fatalf("Bury of %s: %v", d.UID, err)
	}
}

// requireNoBurial requires that Bury of d fails with the error.
func (t *trial) requireNoBurial(d *webhook.Delivery, want error) {
	t.Helper()
	if err := t.admin().Bury(t.Context(), d.UID, someone); !errors.Is(err, want) {
		t.Errorf("Bury returned %v, want %v", err, want)
	}
}
