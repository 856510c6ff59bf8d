package inboxtest

import (
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// givingUp: what GiveUp does.
var givingUp = []law{
	{"GiveUp ends the unfinished deliveries that match, with the Note as their Reason", func(t *trial) {
		for _, as := range []webhook.State{webhook.Dead, webhook.Ignored} {
			key := "key of " + string(as)
			gone := []*webhook.Delivery{t.postponed(key), t.put(key), t.put(key)}
			other := t.put("other")
			t.giveUp(webhook.Filter{Source: someSource, OrderingKey: key}, as, 3)
			for _, d := range gone {
				if r := t.get(d); r.State != as || r.Reason != "given up by ann: the cause is fixed" {
					t.Errorf("%s is %s, %q", d.UID, r.State, r.Reason)
				}
			}
			t.end(t.claimOf(other), webhook.Done)
		}
		t.requireNoClaim("the others were given up")
	}},
	{"GiveUp ends and counts any number of deliveries of any ordering key", func(t *trial) {
		keys := []string{"", "one", "two"}
		const each = 8
		for range each {
			for _, key := range keys {
				t.put(key)
			}
		}
		t.giveUp(webhook.Filter{Type: someType}, webhook.Ignored, each*len(keys))
		t.requireNoClaim("all were given up")
	}},
	{"GiveUp skips claimed and finished deliveries", func(t *trial) {
		done := t.finished("key", webhook.Done)
		d := t.put("key")
		c := t.claimOf(d)
		t.put("key")
		t.giveUp(webhook.Filter{Source: someSource, OrderingKey: "key"}, webhook.Ignored, 1)
		t.end(c, webhook.Dead)
		if a, b := t.get(done).State, t.get(d).State; a != webhook.Done || b != webhook.Dead {
			t.Errorf("they are %s and %s, want done and dead", a, b)
		}
		t.requireNoClaim("nothing is left")
	}},
	{"a delivery that comes to an ordering key after GiveUp is claimed", func(t *trial) {
		t.postponed("key")
		t.put("key")
		t.giveUp(webhook.Filter{Source: someSource, OrderingKey: "key"}, webhook.Ignored, 2)
		t.claimOf(t.put("key"))
	}},
	{"the other deliveries of an ordering key run in order after GiveUp", func(t *trial) {
		var left []*webhook.Delivery
		for n := range 6 {
			d := t.delivery("key")
			if n%2 == 0 {
				d.Type = "alpha.other"
			} else {
				left = append(left, d)
			}
			t.store(d)
		}
		t.giveUp(webhook.Filter{Source: someSource, OrderingKey: "key", Type: "alpha.other"}, webhook.Ignored, 3)
		for _, d := range left {
			t.end(t.claimOf(d), webhook.Done)
		}
	}},
	{"GiveUp with a Limit ends no more than that", func(t *trial) {
		for range 3 {
			t.put("key")
		}
		t.giveUp(webhook.Filter{Source: someSource, OrderingKey: "key", Limit: 2}, webhook.Ignored, 2)
		t.claim()
	}},
	{"a delivery that was given up can be replayed", func(t *trial) {
		d := t.put("key")
		t.giveUp(webhook.Filter{UID: d.UID}, webhook.Ignored, 1)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		t.claimOf(d)
	}},
	{"a settlement that is repeated after GiveUp returns what it led to", func(t *trial) {
		d := t.put("")
		c, o := t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long}
		t.settle(c, o)
		t.giveUp(webhook.Filter{UID: d.UID}, webhook.Ignored, 1)
		if s := t.settle(c, o); s != webhook.Waiting {
			t.Errorf("Settle returned %s, want waiting", s)
		}
	}},
	{"GiveUp of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		t.requireNoGiveUp(webhook.Filter{UID: t.delivery("").UID}, webhook.ErrNotFound)
	}},
	{"GiveUp of a claimed delivery is ErrState", func(t *trial) {
		d := t.put("")
		c := t.claimOf(d)
		t.requireNoGiveUp(webhook.Filter{UID: d.UID}, webhook.ErrState)
		t.end(c, webhook.Done)
	}},
	{"GiveUp without By is refused", func(t *trial) {
		d := t.put("")
		t.requireRefusedGiveUp(webhook.Filter{UID: d.UID}, webhook.Dead, webhook.Note{Why: "no name"})
		t.claimOf(d)
	}},
	{"GiveUp with a Filter that selects all is refused", func(t *trial) {
		d := t.put("")
		t.requireRefusedGiveUp(webhook.Filter{Limit: 10, Bodies: true}, webhook.Dead, someone)
		t.claimOf(d)
	}},
	{"GiveUp with another state than dead and ignored is refused", func(t *trial) {
		d := t.put("")
		for _, s := range []webhook.State{"", webhook.Done, webhook.Superseded, webhook.Waiting} {
			t.requireRefusedGiveUp(webhook.Filter{UID: d.UID}, s, someone)
		}
		t.claimOf(d)
	}},
	{"a context that has ended gives nothing up", func(t *trial) {
		d := t.put("")
		if n, err := t.admin().GiveUp(t.canceled(), webhook.Filter{UID: d.UID}, webhook.Dead, someone); err == nil || errors.Is(err, webhook.ErrState) || n != 0 {
			t.Errorf("GiveUp returned %d, %v, want the context's error", n, err)
		}
		t.claimOf(d)
	}},
	{"GiveUp closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			d := t.put("key")
			t.put("key")
			changed := n.Changed()
			t.giveUp(webhook.Filter{UID: d.UID}, webhook.Dead, 1)
			t.requireChanged(changed)
		}
	}},
}

// giveUp calls GiveUp, which must end want deliveries.
func (t *trial) giveUp(f webhook.Filter, as webhook.State, want int) {
	t.Helper()
	if n, err := t.admin().GiveUp(t.Context(), f, as, someone); err != nil || n != want {
		t.Fatalf("GiveUp returned %d, %v, want %d", n, err, want)
	}
}

// requireNoGiveUp requires that GiveUp fails with the error.
func (t *trial) requireNoGiveUp(f webhook.Filter, want error) {
	t.Helper()
	if n, err := t.admin().GiveUp(t.Context(), f, webhook.Dead, someone); n != 0 || !errors.Is(err, want) {
		t.Errorf("GiveUp returned %d, %v, want %v", n, err, want)
	}
}

// requireRefusedGiveUp requires that GiveUp refuses its arguments.
func (t *trial) requireRefusedGiveUp(f webhook.Filter, as webhook.State, n webhook.Note) {
	t.Helper()
	if done, err := t.admin().GiveUp(t.Context(), f, as, n); err == nil || done != 0 {
		t.Errorf("GiveUp of %+v as %q by %q returned %d, %v", f, as, n.By, done, err)
	}
}
