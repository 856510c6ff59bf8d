package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// revivals are the laws of redeliveries, which make a dead delivery waiting again.
var revivals = []law{
	{"a redelivery with the same ID revives a dead delivery", func(t *trial) {
		d, _ := t.dead()
		if known := t.duplicate(t.redelivery(d)); !known.Revived || known.State != webhook.Waiting {
			t.Errorf("revived %t, state %s; want true, waiting", known.Revived, known.State)
		}
		t.claimOf(d)
	}},
	{"a revived delivery starts again at attempt 1", func(t *trial) {
		d, _ := t.dead()
		t.duplicate(t.redelivery(d))
		if c := t.claim(); c.Attempt != 1 {
			t.Errorf("attempt %d, want 1", c.Attempt)
		}
	}},
	{"a revived delivery is not suspect", func(t *trial) {
		d := t.delivery("", "dedup key")
		d.ID = "id"
		t.store(d)
		t.begin(t.suspect())
		t.end(t.begin(t.suspect()), webhook.Dead)
		t.duplicate(t.redelivery(d))
		if c := t.claim(); c.Suspect || c.Crashes != 0 {
			t.Errorf("suspect %t, %d crashes; want false, 0", c.Suspect, c.Crashes)
		}
	}},
	{"a revived delivery has a higher fence", func(t *trial) {
		d, first := t.dead()
		t.duplicate(t.redelivery(d))
		if c := t.claim(); c.Fence <= first.Fence {
			t.Errorf("fence %d follows %d", c.Fence, first.Fence)
		}
	}},
	{"a dead delivery is revived three times at most", func(t *trial) {
		d, _ := t.dead()
		for n := 1; n <= 3; n++ {
			if !t.duplicate(t.redelivery(d)).Revived {
				t.Fatalf("redelivery %d did not revive it", n)
			}
			t.end(t.claim(), webhook.Dead)
		}
		if known := t.duplicate(t.redelivery(d)); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s after the fourth redelivery; want false, dead", known.Revived, known.State)
		}
		t.requireNoClaim("it was revived three times")
	}},
	{"a redelivery with another ID revives nothing", func(t *trial) {
		d, _ := t.dead()
		again := t.redelivery(d)
		again.ID = "another"
		if known := t.duplicate(again); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s; want it dead", known.Revived, known.State)
		}
		t.requireNoClaim("it is dead")
	}},
	{"a redelivery without an ID revives nothing", func(t *trial) {
		d := t.put("", "dedup key")
		t.end(t.claim(), webhook.Dead)
		if known := t.duplicate(t.redelivery(d)); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s; want it dead", known.Revived, known.State)
		}
		t.requireNoClaim("it is dead")
	}},
	{"a second Put of a dead UID revives nothing", func(t *trial) {
		d, _ := t.dead()
		if known := t.duplicate(d); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s; want it dead", known.Revived, known.State)
		}
		t.requireNoClaim("it is dead")
	}},
	{"a dead delivery of a burst is not revived while a younger one is unfinished", func(t *trial) {
		d := t.burst("key", short, 0)
		d.ID, d.DedupKeys = "id", []string{"dedup key"}
		t.store(d)
		t.end(t.claimOf(d), webhook.Dead)
		younger := t.store(t.burst("key", short, 0))
		if known := t.duplicate(t.redelivery(d)); known.Revived || known.State != webhook.Dead {
			t.Errorf("revived %t, state %s while a younger one waits; want false, dead", known.Revived, known.State)
		}
		c := t.claimOf(younger)
		if known := t.duplicate(t.redelivery(d)); known.Revived {
			t.Errorf("revived while a younger one is claimed")
		}
		t.end(c, webhook.Done)
		if known := t.duplicate(t.redelivery(d)); !known.Revived {
			t.Errorf("not revived although the younger one is finished")
		}
		t.claimOf(d)
	}},
	{"a revived delivery waits for the others of its ordering key", func(t *trial) {
		d := t.delivery("key", "dedup key")
		d.ID = "id"
		t.store(d)
		t.end(t.claim(), webhook.Dead)
		younger := t.put("key")
		c := t.claimOf(younger)
		t.duplicate(t.redelivery(d))
		t.requireNoClaim("another of its key is claimed")
		t.end(c, webhook.Done)
		t.claimOf(d)
	}},
	{"a dead delivery of a burst is revived although a younger one of another type is unfinished", func(t *trial) {
		d := t.burst("key", short, 0)
		d.ID = "id"
		t.store(d)
		t.end(t.claimOf(d), webhook.Dead)
		other := t.store(t.otherBurst("key", short))
		if known := t.duplicate(t.redelivery(d)); !known.Revived {
			t.Errorf("not revived, state %s", known.State)
		}
		t.end(t.claimOf(other), webhook.Done)
		t.claimOf(d)
	}},
	{"a revived delivery does not wait for the NotBefore of its redelivery", func(t *trial) {
		d, _ := t.dead()
		again := t.redelivery(d)
		again.NotBefore = time.Now().Add(long)
		t.duplicate(again)
		t.claimOf(d)
	}},
}
