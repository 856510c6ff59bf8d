package inboxtest

import (
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// releasing: what Release does.
var releasing = []law{
	{"a released retry is due now", func(t *trial) {
		d := t.put("key")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long})
		t.requireNoClaim("it waits for its retry")
		t.releaseNow(d)
		t.claimOf(d)
	}},
	{"a released claim can be claimed again at once", func(t *trial) {
		d := t.put("key")
		old := t.claimOf(d)
		t.releaseNow(d)
		if c := t.claimOf(d); c.Fence <= old.Fence || c.Attempt != 2 {
			t.Errorf("fence %d after %d, attempt %d, want 2", c.Fence, old.Fence, c.Attempt)
		}
	}},
	{"a released claim cannot be settled or extended", func(t *trial) {
		d := t.put("key")
		old := t.claimOf(d)
		t.releaseNow(d)
		if _, err := t.in.Settle(t.Context(), old, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle returned %v, want ErrClaimLost", err)
		}
		if err := t.in.Extend(t.Context(), old, long); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend returned %v, want ErrClaimLost", err)
		}
		t.claimOf(d)
	}},
	{"a released claim counts as lost", func(t *trial) {
		d := t.put("key")
		for range 2 {
			if c := t.claimOf(d); c.Suspect {
				t.Fatalf("suspect after %d claims", c.Attempt)
			}
			t.releaseNow(d)
		}
		c := t.claimOf(d)
		if !c.Suspect || c.Crashes != 0 {
			t.Fatalf("suspect %t, %d crashes after two claims were lost", c.Suspect, c.Crashes)
		}
		t.begin(c)
		t.releaseNow(d)
		if c := t.claimOf(d); !c.Suspect || c.Crashes != 1 {
			t.Errorf("suspect %t, %d crashes after a run that was lost", c.Suspect, c.Crashes)
		}
	}},
	{"a released retry that let younger ones run first is the next of its ordering key", func(t *trial) {
		retried := t.put("key")
		t.settle(t.claimOf(retried), webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true})
		first, second := t.put("key"), t.put("key")
		t.releaseNow(retried)
		for _, d := range []*webhook.Delivery{retried, first, second} {
			t.end(t.claimOf(d), webhook.Done)
		}
	}},
	{"a retry that is released while a younger one is claimed runs after that", func(t *trial) {
		retried := t.put("key")
		t.settle(t.claimOf(retried), webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true})
		first, second := t.put("key"), t.put("key")
		c := t.claimOf(first)
		t.releaseNow(retried)
		t.requireNoClaim("one of its ordering key is claimed")
		t.end(c, webhook.Done)
		t.end(t.claimOf(retried), webhook.Done)
		t.claimOf(second)
	}},
	{"a released retry runs before another retry of its ordering key that is due earlier", func(t *trial) {
		var retried [2]*webhook.Delivery
		for i := range retried {
			retried[i] = t.put("key")
			t.settle(t.claimOf(retried[i]), webhook.Outcome{State: webhook.Waiting, Delay: time.Duration(i+1) * long, RetryOutOfOrder: true})
		}
		t.releaseNow(retried[1])
		younger := t.put("key")
		t.end(t.claimOf(retried[1]), webhook.Done)
		t.end(t.claimOf(younger), webhook.Done)
		t.requireNoClaim("the other one waits for its retry")
	}},
	{"a delivery that another one blocks cannot be released", func(t *trial) {
		first, second := t.put("key"), t.put("key")
		t.requireNoRelease(second, webhook.ErrState)
		c := t.claimOf(first)
		t.requireNoRelease(second, webhook.ErrState)
		t.end(c, webhook.Done)
		t.claimOf(second)
	}},
	{"a finished delivery cannot be released", func(t *trial) {
		for _, s := range []webhook.State{webhook.Done, webhook.Dead, webhook.Ignored} {
			t.requireNoRelease(t.finished("", s), webhook.ErrState)
		}
		t.requireNoClaim("it is finished")
	}},
	{"a release of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		t.requireNoRelease(t.delivery(""), webhook.ErrNotFound)
	}},
	{"a context that has ended releases nothing", func(t *trial) {
		d := t.put("")
		c := t.claimOf(d)
		if err := t.admin().Release(t.canceled(), d.UID); err == nil || errors.Is(err, webhook.ErrState) {
			t.Errorf("Release returned %v, want the context's error", err)
		}
		t.end(c, webhook.Done)
	}},
	{"Release closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			d := t.put("")
			t.claimOf(d)
			changed := n.Changed()
			t.releaseNow(d)
			t.requireChanged(changed)
		}
	}},
}
