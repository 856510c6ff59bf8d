package inboxtest

import (
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// releasing: what Release does.
var releasing = []law{
	{"what waits for its retry is due now once it is released", func(t *trial) {
		d := t.put("key")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long})
		t.nothing("it waits for its retry")
		t.released(d)
		t.claimOf(d)
	}},
	{"a claim that is released can be claimed by another now", func(t *trial) {
		d := t.put("key")
		old := t.claimOf(d)
		t.released(d)
		if c := t.claimOf(d); c.Fence <= old.Fence || c.Attempt != 2 {
			t.Errorf("fence %d after %d, attempt %d, want 2", c.Fence, old.Fence, c.Attempt)
		}
	}},
	{"a claim that is released cannot be settled or extended", func(t *trial) {
		d := t.put("key")
		old := t.claimOf(d)
		t.released(d)
		if _, err := t.in.Settle(t.Context(), old, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle returned %v, want ErrClaimLost", err)
		}
		if err := t.in.Extend(t.Context(), old, long); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend returned %v, want ErrClaimLost", err)
		}
		t.claimOf(d)
	}},
	{"a claim that is released counts as lost", func(t *trial) {
		d := t.put("key")
		for range 2 {
			if c := t.claimOf(d); c.Suspect {
				t.Fatalf("suspect after %d claims", c.Attempt)
			}
			t.released(d)
		}
		c := t.claimOf(d)
		if !c.Suspect || c.Crashes != 0 {
			t.Fatalf("suspect %t, %d crashes after two claims were lost", c.Suspect, c.Crashes)
		}
		t.begin(c)
		t.released(d)
		if c := t.claimOf(d); !c.Suspect || c.Crashes != 1 {
			t.Errorf("suspect %t, %d crashes after a run that was lost", c.Suspect, c.Crashes)
		}
	}},
	{"what is blocked by another is not released", func(t *trial) {
		first, second := t.put("key"), t.put("key")
		t.releasesNothing(second, webhook.ErrState)
		c := t.claimOf(first)
		t.releasesNothing(second, webhook.ErrState)
		t.end(c, webhook.Done)
		t.claimOf(second)
	}},
	{"what is finished is not released", func(t *trial) {
		for _, s := range []webhook.State{webhook.Done, webhook.Dead, webhook.Ignored} {
			t.releasesNothing(t.finished("", s), webhook.ErrState)
		}
		t.nothing("it is finished")
	}},
	{"a release of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		t.releasesNothing(t.delivery(""), webhook.ErrNotFound)
	}},
	{"a context that has ended releases nothing", func(t *trial) {
		d := t.put("")
		c := t.claimOf(d)
		if err := t.admin().Release(t.ended(), d.UID); err == nil || errors.Is(err, webhook.ErrState) {
			t.Errorf("Release returned %v, want the context's error", err)
		}
		t.end(c, webhook.Done)
	}},
	{"Release closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			d := t.put("")
			t.claimOf(d)
			changed := n.Changed()
			t.released(d)
			t.told(changed)
		}
	}},
}
