package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// coalescing: of a burst on one ordering key the newest runs.
var coalescing = []law{
	{"of a burst only the newest is claimed", func(t *trial) {
		t.store(t.burst("key", short, 0))
		t.store(t.burst("key", short, 0))
		t.end(t.claimOf(t.store(t.burst("key", short, 0))), webhook.Done)
		t.nothing("the newest took its place")
	}},
	{"the older ones of a burst are superseded", func(t *trial) {
		first := t.store(t.burst("key", long, 0))
		second := t.store(t.burst("key", long, 0))
		newest := t.store(t.burst("key", long, 0))
		for d, want := range map[*webhook.Delivery]webhook.State{
			first: webhook.Superseded, second: webhook.Superseded, newest: webhook.Waiting,
		} {
			if got := t.state(d); got != want {
				t.Errorf("state of %s is %s, want %s", d.UID, got, want)
			}
		}
	}},
	{"a burst supersedes what waits without coalescing", func(t *trial) {
		t.put("key")
		t.put("key")
		t.claimOf(t.store(t.burst("key", short, 0)))
	}},
	{"a coalescing delivery waits for quiet", func(t *trial) {
		t.store(t.burst("key", long, 0))
		t.nothing("its key is not quiet")
	}},
	{"each of a burst starts quiet again", func(t *trial) {
		const quiet = 4 * short
		t.store(t.burst("key", quiet, 0))
		t.pass(quiet / 2)
		start := time.Now()
		t.claimOf(t.store(t.burst("key", quiet, 0)))
		// A millisecond is for clocks that count in less.
		if waited := time.Since(start); waited < quiet-time.Millisecond {
			t.Errorf("claimed %v after the newest, with quiet %v", waited, quiet)
		}
	}},
	{"Max bounds how long quiet may take", func(t *trial) {
		t.claimOf(t.store(t.burst("key", long, short)))
	}},
	{"Max counts from the first of the burst", func(t *trial) {
		const most = 6 * short
		t.store(t.burst("key", long, most))
		t.pass(most / 2)
		t.store(t.burst("key", long, most))
		t.pass(most/2 + short)
		newest := t.store(t.burst("key", long, most))
		claims := t.all()
		if len(claims) != 1 || claims[0].Delivery.UID != newest.UID {
			t.Errorf("claimed %v at once, want %s: the burst is older than its Max", uids(claims), newest.UID)
		}
	}},
	{"what is claimed is not superseded, and the newer waits behind it", func(t *trial) {
		first := t.store(t.burst("key", short, 0))
		c := t.claim()
		newer := t.store(t.burst("key", short, 0))
		if got := t.state(first); got != webhook.Claimed {
			t.Errorf("state of the claimed one is %s", got)
		}
		t.pass(2 * short)
		t.nothing("an older one of its key is claimed")
		t.end(c, webhook.Done)
		t.claimOf(newer)
	}},
	{"a claim put back before a newer of its burst does not run again", func(t *trial) {
		first := t.store(t.burst("key", short, 0))
		c := t.claim()
		newer := t.store(t.burst("key", short, 0))
		if came := t.settle(c, webhook.Outcome{State: webhook.Waiting}); came != webhook.Superseded {
			t.Errorf("told that %q came of it, want superseded", came)
		}
		if got := t.state(first); !got.Final() {
			t.Errorf("state of the one put back is %s, want a final one", got)
		}
		t.claimOf(newer)
	}},
	{"settling again what was superseded tells so", func(t *trial) {
		t.store(t.burst("key", short, 0))
		c := t.claim()
		t.store(t.burst("key", short, 0))
		for range 2 {
			if came := t.settle(c, webhook.Outcome{State: webhook.Waiting}); came != webhook.Superseded {
				t.Errorf("told that %q came of it, want superseded", came)
			}
		}
	}},
	{"a retry that waits is superseded", func(t *trial) {
		t.store(t.burst("key", short, 0))
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: 2 * short})
		newer := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(newer), webhook.Done)
		t.pass(3 * short)
		t.nothing("a newer one took its place")
	}},
	{"a burst on one key leaves other keys", func(t *trial) {
		other := t.store(t.burst("other", long, 0))
		t.store(t.burst("key", long, 0))
		if got := t.state(other); got != webhook.Waiting {
			t.Errorf("state of the other key's is %s, want waiting", got)
		}
	}},
	{"a burst of one source leaves other sources", func(t *trial) {
		other := t.store(t.burst("key", long, 0))
		d := t.burst("key", long, 0)
		d.Source = "beta"
		t.store(d)
		if got := t.state(other); got != webhook.Waiting {
			t.Errorf("state of the other source's is %s, want waiting", got)
		}
	}},
}
