package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// otherType shares ordering keys with someType, and no burst.
const otherType = "alpha.other"

// burstTypes are the laws of Coalesce for an ordering key with several types.
var burstTypes = []law{
	{"a burst does not change deliveries of other types", func(t *trial) {
		other, d := t.store(t.otherBurst("key", 2*short)), t.store(t.burst("key", 2*short, 0))
		t.end(t.claimOf(other), webhook.Done)
		t.claimOf(d)
	}},
	{"the newest of a burst runs after the older deliveries of other types", func(t *trial) {
		t.store(t.burst("key", short, 0))
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long})
		other := t.store(t.otherType("key"))
		newest := t.store(t.burst("key", short, 0)) // supersedes the head
		t.advance(2 * short)
		for _, d := range []*webhook.Delivery{other, newest} {
			t.end(t.claimOf(d), webhook.Done)
		}
		t.requireNoClaim("the newest one superseded the retry")
	}},
	{"the newest of a burst passes a retry out of order of another type", func(t *trial) {
		t.store(t.otherType("key"))
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true})
		t.store(t.burst("key", short, 0))
		t.claimOf(t.store(t.burst("key", short, 0)))
	}},
	{"a delivery that is put back is not superseded by a newer one of another type", func(t *trial) {
		first := t.put("key")
		c := t.claim()
		t.store(t.otherBurst("key", short))
		if got := t.settle(c, webhook.Outcome{State: webhook.Waiting}); got != webhook.Waiting {
			t.Errorf("Settle returned %q, want waiting", got)
		}
		t.claimOf(first)
	}},
	{"a delivery that is put back is superseded by a newer one of its burst behind another type", func(t *trial) {
		t.store(t.burst("key", short, 0))
		c := t.claim()
		other := t.store(t.otherType("key"))
		newest := t.store(t.burst("key", short, 0))
		if got := t.settle(c, webhook.Outcome{State: webhook.Waiting}); got != webhook.Superseded {
			t.Errorf("Settle returned %q, want superseded", got)
		}
		t.end(t.claimOf(other), webhook.Done)
		t.claimOf(newest)
	}},
	{"a claim that has expired is not superseded by a newer delivery of another type", func(t *trial) {
		first := t.put("key")
		t.claimFor(short)
		t.store(t.otherBurst("key", short))
		t.claimOf(first)
	}},
	{"a claim that has expired is superseded by a newer one of its burst behind another type", func(t *trial) {
		t.store(t.burst("key", short, 0))
		t.claimFor(short)
		other := t.store(t.otherType("key"))
		newest := t.store(t.burst("key", short, 0))
		for _, d := range []*webhook.Delivery{other, newest} {
			t.end(t.claimOf(d), webhook.Done)
		}
		t.requireNoClaim("the newest one superseded the expired claim")
	}},
	{"a delivery of NewestOnly is due at once", func(t *trial) {
		d := t.delivery("key")
		d.Coalesce = webhook.NewestOnly()
		t.store(d)
		if got := t.claimAll(); len(got) != 1 {
			t.Errorf("claimed %v, want %s", uids(got), d.UID)
		}
	}},
}

// replayedTypes are the laws of Replay for an ordering key with several types.
var replayedTypes = []law{
	{"one of a burst is replayed although a younger one of another type is unfinished", func(t *trial) {
		older := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(older), webhook.Dead)
		other := t.store(t.otherBurst("key", short))
		t.replay(webhook.Filter{UID: older.UID}, 1)
		t.end(t.claimOf(other), webhook.Done)
		t.claimOf(older)
	}},
}

// otherType returns a new delivery of the other type. It does not store it.
func (t *trial) otherType(key string) *webhook.Delivery {
	d := t.delivery(key)
	d.Type = otherType
	return d
}

// otherBurst returns one that coalesces.
func (t *trial) otherBurst(key string, quiet time.Duration) *webhook.Delivery {
	d := t.burst(key, quiet, 0)
	d.Type = otherType
	return d
}
