package inboxtest

import (
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// order: per (Source, OrderingKey), one at a time.
var order = []law{
	{"of a key one at a time is claimed, in order of put", func(t *trial) {
		for _, d := range []*webhook.Delivery{t.put("key"), t.put("key"), t.put("key")} {
			claims := t.all()
			if got := uids(claims); !slices.Equal(got, []string{d.UID}) {
				t.Fatalf("claimed %v, want %s alone", got, d.UID)
			}
			t.end(claims[0], webhook.Done)
		}
		t.nothing("all are done")
	}},
	{"whatever ends the first of a key brings the next forward", func(t *trial) {
		ends := []webhook.State{webhook.Dead, webhook.Ignored, webhook.Done}
		for range ends {
			t.put("key")
		}
		for _, s := range ends {
			t.end(t.claim(), s)
		}
	}},
	{"what stands behind another of its key says so", func(t *trial) {
		t.put("key")
		d := t.put("key", "mark")
		if got := t.state(d); got != webhook.Blocked {
			t.Errorf("state %s, want blocked", got)
		}
		t.end(t.claim(), webhook.Done)
		if got := t.state(d); got != webhook.Waiting {
			t.Errorf("state %s once the first is done, want waiting", got)
		}
	}},
	{"keys do not hold each other", func(t *trial) {
		t.put("one")
		t.claim()
		t.claimOf(t.put("two"))
	}},
	{"a key of another source is another key", func(t *trial) {
		t.put("key")
		t.claim()
		d := t.delivery("key")
		d.Source = "beta"
		t.claimOf(t.store(d))
	}},
	{"deliveries without a key do not hold each other", func(t *trial) {
		t.put("")
		t.claim()
		t.claimOf(t.put(""))
	}},
	{"keys are compared byte for byte", func(t *trial) {
		keys := []string{"key", "Key", "key ", " key", "k\u00e9y", "ke\u0301y"}
		for _, k := range keys {
			t.put(k)
		}
		if got := len(t.all()); got != len(keys) {
			t.Errorf("claimed %d of %d keys", got, len(keys))
		}
	}},
	{"types of one key hold each other", func(t *trial) {
		t.put("key")
		d := t.delivery("key")
		d.Type = "alpha.other"
		t.store(d)
		if got := uids(t.now(webhook.ClaimOptions{N: plenty, Lease: long, Types: []string{"alpha.other"}})); len(got) > 0 {
			t.Errorf("claimed %v before the first of its key", got)
		}
	}},
	{"a retry holds its key", func(t *trial) {
		t.put("key")
		second := t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long})
		if slices.Contains(uids(t.all()), second.UID) {
			t.Errorf("the second was claimed while the first waits for its retry")
		}
	}},
	{"a lease that ran out holds its key", func(t *trial) {
		first := t.put("key")
		second := t.put("key")
		t.claimFor(short)
		t.until("the first is claimed again", func() bool {
			got := uids(t.all())
			if slices.Contains(got, second.UID) {
				t.Fatalf("the second was claimed before the first was settled")
			}
			return slices.Contains(got, first.UID)
		})
	}},
	{"a retry that yields lets the next go ahead", func(t *trial) {
		t.put("key")
		second := t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true})
		t.claimOf(second)
	}},
	{"a retry that yields lets what comes later go ahead", func(t *trial) {
		t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true})
		t.claimOf(t.put("key"))
	}},
	{"a retry that yields never makes two claims of a key", func(t *trial) {
		t.put("key")
		t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: short, RetryOutOfOrder: true})
		c := t.claim()
		t.pass(2 * short)
		t.nothing("another of its key is claimed")
		t.end(c, webhook.Done)
		t.claim()
	}},
}
