package inboxtest

import "github.com/hookhouse/hookhouse/webhook"

// states are the laws of the states of deliveries in an ordering key and in a burst, as a
// DuplicateError has them.
var states = []law{
	{"a younger delivery of an ordering key is blocked until the older one is done", func(t *trial) {
		t.put("key")
		d := t.put("key", "dedup key")
		if got := t.state(d); got != webhook.Blocked {
			t.Errorf("state %s, want %s", got, webhook.Blocked)
		}
		t.end(t.claim(), webhook.Done)
		if got := t.state(d); got != webhook.Waiting {
			t.Errorf("state %s after the first is done, want waiting", got)
		}
	}},
	{"the older deliveries of a burst are superseded", func(t *trial) {
		first := t.store(t.burst("key", long, 0))
		second := t.store(t.burst("key", long, 0))
		newest := t.store(t.burst("key", long, 0))
		for d, want := range map[*webhook.Delivery]webhook.State{
			first: webhook.Superseded, second: webhook.Superseded, newest: webhook.Waiting,
		} {
			if got := t.state(d); got != want {
				t.Errorf("%s is %s, want %s", d.UID, got, want)
			}
		}
	}},
}
