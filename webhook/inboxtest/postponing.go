package inboxtest

import "github.com/hookhouse/hookhouse/webhook"

// postponing are the laws of a claim that is put back uncounted with a delay, as
// [webhook.Postpone] does.
var postponing = []law{
	{"a postponed delivery is not claimed before its delay is over", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, Uncounted: true})
		t.requireNoClaim("it is postponed")
	}},
	{"a postponed delivery is claimed after its delay, as the same attempt", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting})
		for range 3 {
			c := t.claim()
			if c.Attempt != 2 {
				t.Errorf("attempt %d, want 2", c.Attempt)
			}
			t.settle(c, webhook.Outcome{State: webhook.Waiting, Delay: short, Uncounted: true})
		}
	}},
	{"a postponed delivery blocks its ordering key", func(t *trial) {
		first, second := t.put("key"), t.put("key")
		t.settle(t.claimOf(first), webhook.Outcome{State: webhook.Waiting, Delay: long, Uncounted: true})
		third := t.put("key")
		for _, c := range t.claimAll() {
			t.Errorf("%s was claimed while %s is postponed, before %s and %s", c.Delivery.UID, first.UID, second.UID, third.UID)
		}
	}},
	{"with RetryOutOfOrder the next delivery is claimed while a postponed one waits", func(t *trial) {
		t.put("key")
		second := t.put("key")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, Uncounted: true, RetryOutOfOrder: true})
		t.claimOf(second)
	}},
}
