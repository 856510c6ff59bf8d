package inboxtest

import (
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// order are the laws of deliveries with the same Source and OrderingKey.
var order = []law{
	{"deliveries of one ordering key are claimed one at a time, in the order of Put", func(t *trial) {
		for _, d := range []*webhook.Delivery{t.put("key"), t.put("key"), t.put("key")} {
			claims := t.claimAll()
			if got := uids(claims); !slices.Equal(got, []string{d.UID}) {
				t.Fatalf("claimed %v, want only %s", got, d.UID)
			}
			t.end(claims[0], webhook.Done)
		}
		t.requireNoClaim("all are done")
	}},
	{"any final state of a delivery unblocks the next of its ordering key", func(t *trial) {
		ends := []webhook.State{webhook.Dead, webhook.Ignored, webhook.Done}
		for range ends {
			t.put("key")
		}
		for _, s := range ends {
			t.end(t.claim(), s)
		}
	}},
	{"ordering keys do not block each other", func(t *trial) {
		t.put("one")
		t.claim()
		t.claimOf(t.put("two"))
	}},
	{"equal ordering keys of different sources do not block each other", func(t *trial) {
		t.put("key")
		t.claim()
		d := t.delivery("key")
		d.Source = "beta"
		t.claimOf(t.store(d))
	}},
	{"deliveries without an ordering key do not block each other", func(t *trial) {
		t.put("")
		t.claim()
		t.claimOf(t.put(""))
	}},
	{"ordering keys are compared byte by byte", func(t *trial) {
		keys := []string{"key", "Key", "key ", " key", "k\u00e9y", "ke\u0301y"}
		for _, k := range keys {
			t.put(k)
		}
		if got := len(t.claimAll()); got != len(keys) {
			t.Errorf("claimed %d of %d keys", got, len(keys))
		}
	}},
	{"deliveries of one ordering key block each other even if their types differ", func(t *trial) {
		first := t.put("key")
		t.store(t.otherType("key"))
		if got, _ := t.claimTypes(otherType); len(got) > 0 {
			t.Errorf("claimed %v before the older one of its key", uids(got))
		}
		if got := uids(t.claimAll()); !slices.Equal(got, []string{first.UID}) {
			t.Errorf("claimed %v, want only %s", got, first.UID)
		}
	}},
	{"a retry blocks its ordering key", func(t *trial) {
		t.put("key")
		second := t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long})
		if slices.Contains(uids(t.claimAll()), second.UID) {
			t.Errorf("the second was claimed while the retry of the first waits")
		}
	}},
	{"a delivery with an expired lease blocks its ordering key", func(t *trial) {
		first := t.put("key")
		second := t.put("key")
		t.claimFor(short)
		t.waitUntil("the first is claimed again", func() bool {
			got := uids(t.claimAll())
			if slices.Contains(got, second.UID) {
				t.Fatalf("the second was claimed before the first was settled")
			}
			return slices.Contains(got, first.UID)
		})
	}},
	{"with RetryOutOfOrder the next delivery is claimed while a retry waits", func(t *trial) {
		t.put("key")
		second := t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true})
		t.claimOf(second)
	}},
	{"with RetryOutOfOrder a later delivery is claimed while a retry waits", func(t *trial) {
		t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, RetryOutOfOrder: true})
		t.claimOf(t.put("key"))
	}},
	{"with RetryOutOfOrder an ordering key still has one claim at a time", func(t *trial) {
		t.put("key")
		t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: short, RetryOutOfOrder: true})
		c := t.claim()
		t.advance(2 * short)
		t.requireNoClaim("another of its key is claimed")
		t.end(c, webhook.Done)
		t.claim()
	}},
}
