package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// coalescing are the laws of Coalesce: only the newest delivery of a burst runs.
var coalescing = []law{
	{"only the newest delivery of a burst is claimed", func(t *trial) {
		t.store(t.burst("key", short, 0))
		t.store(t.burst("key", short, 0))
		t.end(t.claimOf(t.store(t.burst("key", short, 0))), webhook.Done)
		t.requireNoClaim("the newest one superseded them")
	}},
	{"a coalescing delivery supersedes waiting ones that do not coalesce", func(t *trial) {
		t.put("key")
		t.put("key")
		t.claimOf(t.store(t.burst("key", short, 0)))
	}},
	{"a coalescing delivery is not claimed before Quiet is over", func(t *trial) {
		t.store(t.burst("key", long, 0))
		t.requireNoClaim("Quiet is not over")
	}},
	{"each delivery of a burst starts Quiet again", func(t *trial) {
		const quiet = 4 * short
		t.store(t.burst("key", quiet, 0))
		t.advance(quiet / 2)
		start := time.Now()
		t.claimOf(t.store(t.burst("key", quiet, 0)))
		// The inbox may store times in milliseconds.
		if waited := time.Since(start); waited < quiet-time.Millisecond {
			t.Errorf("claimed %v after the newest was put, want %v at least", waited, quiet)
		}
	}},
	{"a coalescing delivery is claimed after Max even if Quiet is not over", func(t *trial) {
		t.claimOf(t.store(t.burst("key", long, short)))
	}},
	{"Max counts from the first delivery of the burst", func(t *trial) {
		const limit = 6 * short
		t.store(t.burst("key", long, limit))
		t.advance(limit / 2)
		t.store(t.burst("key", long, limit))
		t.advance(limit/2 + short)
		newest := t.store(t.burst("key", long, limit))
		claims := t.claimAll()
		if len(claims) != 1 || claims[0].Delivery.UID != newest.UID {
			t.Errorf("claimed %v, want %s: the burst is older than Max", uids(claims), newest.UID)
		}
	}},
	{"a claimed delivery is not superseded, and the newer one waits for it", func(t *trial) {
		t.store(t.burst("key", short, 0))
		c := t.claim()
		newer := t.store(t.burst("key", short, 0))
		t.advance(2 * short)
		t.requireNoClaim("an older one of its key is claimed")
		if got := t.settle(c, webhook.Outcome{State: webhook.Done}); got != webhook.Done {
			t.Errorf("Settle of the claimed delivery returned %q, want done", got)
		}
		t.claimOf(newer)
	}},
	{"a delivery that is put back while a newer one of its burst waits is superseded", func(t *trial) {
		t.store(t.burst("key", short, 0))
		c := t.claim()
		newer := t.store(t.burst("key", short, 0))
		if got := t.settle(c, webhook.Outcome{State: webhook.Waiting}); got != webhook.Superseded {
			t.Errorf("Settle returned %q, want superseded", got)
		}
		t.end(t.claimOf(newer), webhook.Done)
		t.requireNoClaim("the newer one superseded it")
	}},
	{"a second Settle of a superseded delivery returns Superseded", func(t *trial) {
		t.store(t.burst("key", short, 0))
		c := t.claim()
		t.store(t.burst("key", short, 0))
		for range 2 {
			if got := t.settle(c, webhook.Outcome{State: webhook.Waiting}); got != webhook.Superseded {
				t.Errorf("Settle returned %q, want superseded", got)
			}
		}
	}},
	{"a retry that waits is superseded by a newer delivery of its burst", func(t *trial) {
		t.store(t.burst("key", short, 0))
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: 2 * short})
		newer := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(newer), webhook.Done)
		t.advance(3 * short)
		t.requireNoClaim("a newer one superseded it")
	}},
	{"a burst does not change deliveries of other ordering keys", func(t *trial) {
		other, d := t.store(t.burst("other", short, 0)), t.store(t.burst("key", short, 0))
		t.claimOf(other)
		t.claimOf(d)
	}},
	{"a burst does not change deliveries of other sources", func(t *trial) {
		other := t.store(t.burst("key", short, 0))
		d := t.burst("key", short, 0)
		d.Source = "beta"
		t.store(d)
		t.claimOf(other)
		t.claimOf(d)
	}},
}
