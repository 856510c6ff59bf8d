package inboxtest

import "github.com/hookhouse/hookhouse/webhook"

// revivals: a sender's redelivery makes what is dead live again.
var revivals = []law{
	{"a redelivery with the same ID revives what is dead", func(t *trial) {
		d, _ := t.dead()
		if known := t.duplicate(t.redelivery(d)); !known.Revived || known.State != webhook.Waiting {
			t.Errorf("revived %t, state %s; want it waiting again", known.Revived, known.State)
		}
		t.claimOf(d)
	}},
	{"what is revived starts over at attempt 1", func(t *trial) {
		d, _ := t.dead()
		t.duplicate(t.redelivery(d))
		if c := t.claim(); c.Attempt != 1 {
			t.Errorf("attempt %d, want 1", c.Attempt)
		}
	}},
	{"what is revived is not suspect", func(t *trial) {
		d := t.delivery("", "mark")
		d.ID = "id"
		t.store(d)
		t.begin(t.suspect())
		t.end(t.begin(t.suspect()), webhook.Dead)
		t.duplicate(t.redelivery(d))
		if c := t.claim(); c.Suspect || c.Crashes != 0 {
			t.Errorf("suspect %t, %d crashes; want neither", c.Suspect, c.Crashes)
		}
	}},
	{"what is revived has a higher fence", func(t *trial) {
		d, first := t.dead()
		t.duplicate(t.redelivery(d))
		if c := t.claim(); c.Fence <= first.Fence {
			t.Errorf("fence %d after %d", c.Fence, first.Fence)
		}
	}},
	{"what is dead is revived three times at most", func(t *trial) {
		d, _ := t.dead()
		for n := 1; n <= 3; n++ {
			if !t.duplicate(t.redelivery(d)).Revived {
				t.Fatalf("redelivery %d did not revive it", n)
			}
			t.end(t.claim(), webhook.Dead)
		}
		if known := t.duplicate(t.redelivery(d)); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s after the fourth redelivery; want it dead", known.Revived, known.State)
		}
		t.nothing("it was revived three times")
	}},
	{"a redelivery with another ID revives nothing", func(t *trial) {
		d, _ := t.dead()
		again := t.redelivery(d)
		again.ID = "another"
		if known := t.duplicate(again); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s; want it dead", known.Revived, known.State)
		}
		t.nothing("it is dead")
	}},
	{"a redelivery without an ID revives nothing", func(t *trial) {
		d := t.put("", "mark")
		t.end(t.claim(), webhook.Dead)
		if known := t.duplicate(t.redelivery(d)); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s; want it dead", known.Revived, known.State)
		}
		t.nothing("it is dead")
	}},
	{"a put of the same UID revives nothing", func(t *trial) {
		d, _ := t.dead()
		if known := t.duplicate(d); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s; want it dead", known.Revived, known.State)
		}
		t.nothing("it is dead")
	}},
	{"one of a burst stays dead while a younger one is unfinished", func(t *trial) {
		d := t.burst("key", short, 0)
		d.ID, d.DedupKeys = "id", []string{"mark"}
		t.store(d)
		t.end(t.claimOf(d), webhook.Dead)
		younger := t.store(t.burst("key", short, 0))
		if known := t.duplicate(t.redelivery(d)); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s while a younger one waits; want it dead", known.Revived, known.State)
		}
		c := t.claimOf(younger)
		if known := t.duplicate(t.redelivery(d)); known.Revived {
			t.Errorf("revived while a younger one is claimed")
		}
		t.end(c, webhook.Done)
		if known := t.duplicate(t.redelivery(d)); !known.Revived {
			t.Errorf("not revived though nothing younger is left")
		}
		t.claimOf(d)
	}},
	{"what is revived waits behind those of its key", func(t *trial) {
		d := t.delivery("key", "mark")
		d.ID = "id"
		t.store(d)
		t.end(t.claim(), webhook.Dead)
		younger := t.put("key")
		c := t.claimOf(younger)
		t.duplicate(t.redelivery(d))
		t.nothing("another of its key is claimed")
		t.end(c, webhook.Done)
		t.claimOf(d)
	}},
}
