package inboxtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// attemptLaws: which runs leave a [webhook.Attempt].
var attemptLaws = append(inAnyTime(attempts),
	sweepLaw{law{"attempts are deleted with their delivery", func(t *trial) {
		d := t.finish(webhook.Dead)
		t.requireAttempts(d, 1)
		t.sweeps(1)
		t.store(d)
		t.requireAttempts(d, 0)
	}}, long, short},
)

// fewest is how many attempts of a delivery an inbox keeps at least.
const fewest = 10

var attempts = []law{
	{"a failed run leaves an attempt", func(t *trial) {
		d := t.put("")
		begin := time.Now()
		c := t.claimBy("ann")
		t.advance(2 * short)
		t.settle(c, webhook.Outcome{State: webhook.Waiting, Reason: "not yet"})
		a := t.requireAttempts(d, 1)[0]
		if a.Number != 1 || a.State != webhook.Waiting || a.Lost || a.Reason != "not yet" || a.By != "ann" {
			t.Errorf("%+v", a)
		}
		if !near(a.At, begin) || a.Took < short || a.Took > waitLimit {
			t.Errorf("at %v it took %v, want about %v and %v", a.At, a.Took, begin, 2*short)
		}
	}},
	{"a run after which its delivery is dead leaves an attempt", func(t *trial) {
		d := t.put("")
		t.settle(t.claimBy("ann"), webhook.Outcome{State: webhook.Dead, Reason: "never"})
		if a := t.requireAttempts(d, 1)[0]; a.Number != 1 || a.State != webhook.Dead || a.Lost || a.Reason != "never" || a.By != "ann" {
			t.Errorf("%+v", a)
		}
	}},
	{"a failed run of a delivery that becomes superseded leaves an attempt", func(t *trial) {
		d := t.store(t.burst("key", short, 0))
		c := t.claimOf(d)
		t.store(t.burst("key", short, 0))
		t.settle(c, webhook.Outcome{State: webhook.Waiting, Reason: "not yet"})
		if a := t.requireAttempts(d, 1)[0]; a.State != webhook.Superseded || a.Reason != "not yet" {
			t.Errorf("%+v", a)
		}
	}},
	{"a lost claim leaves a lost attempt", func(t *trial) {
		d := t.put("")
		begin := time.Now()
		if claims := t.claimNow(webhook.ClaimOptions{N: 1, Lease: short, By: "ann"}); len(claims) != 1 {
			t.Fatalf("%d claims", len(claims))
		}
		t.end(t.claimBy("bob"), webhook.Done)
		if a := t.requireAttempts(d, 1)[0]; a.Number != 1 || !a.Lost || a.Reason != "" || a.By != "ann" || !near(a.At, begin) {
			t.Errorf("%+v", a)
		}
	}},
	{"a released claim leaves a lost attempt", func(t *trial) {
		d := t.put("")
		t.claimBy("ann")
		t.releaseNow(d)
		if a := t.requireAttempts(d, 1)[0]; a.Number != 1 || !a.Lost || a.By != "ann" {
			t.Errorf("%+v", a)
		}
	}},
	{"a success leaves no attempt", func(t *trial) {
		t.requireAttempts(t.finish(webhook.Done), 0)
	}},
	{"an ignored delivery leaves no attempt", func(t *trial) {
		t.requireAttempts(t.finish(webhook.Ignored), 0)
	}},
	{"a run that is not counted leaves no attempt", func(t *trial) {
		d := t.put("")
		t.release(t.claimOf(d))
		t.requireAttempts(d, 0)
	}},
	{"a suspect whose run does not begin leaves no attempt", func(t *trial) {
		d := t.put("")
		t.suspect()
		before := len(t.get(d).Attempts)
		t.claimOf(d) // the claim of the suspect is lost by now
		t.requireAttempts(d, before)
	}},
	{"the newest attempts are kept, oldest first", func(t *trial) {
		const runs = 4 * fewest
		d := t.put("")
		for n := range runs {
			t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Reason: fmt.Sprint("failure ", n+1)})
		}
		list := t.get(d).Attempts
		if len(list) < fewest || len(list) == runs {
			t.Fatalf("%d attempts of %d are kept, want at least %d and a bound", len(list), runs, fewest)
		}
		for i, a := range list {
			if want := runs - len(list) + i + 1; a.Number != want || a.Reason != fmt.Sprint("failure ", want) {
				t.Errorf("attempt %d is number %d, %q, want %d", i, a.Number, a.Reason, want)
			}
		}
	}},
	{"attempts stay when a delivery is replayed", func(t *trial) {
		d := t.put("")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting})
		t.end(t.claimOf(d), webhook.Dead)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		t.end(t.claimOf(d), webhook.Dead)
		if list := t.requireAttempts(d, 3); list[0].Number != 1 || list[1].Number != 2 || list[2].Number != 1 {
			t.Errorf("%+v", list)
		}
	}},
	{"a long name and a long reason are cut", func(t *trial) {
		d := t.put("")
		t.settle(t.claimBy(strings.Repeat("n", 1000)), webhook.Outcome{State: webhook.Dead, Reason: longReason()})
		if a := t.requireAttempts(d, 1)[0]; a.By != strings.Repeat("n", 255) || a.Reason != strings.Repeat("r", 4<<10) {
			t.Errorf("a name of %d bytes and a reason of %d, want 255 and 4096", len(a.By), len(a.Reason))
		}
	}},
}

// requireAttempts returns the stored attempts of d, of which there must be want.
func (t *trial) requireAttempts(d *webhook.Delivery, want int) []webhook.Attempt {
	t.Helper()
	list := t.get(d).Attempts
	if len(list) != want {
		t.Fatalf("%d attempts are kept, want %d: %+v", len(list), want, list)
	}
	return list
}

// claimBy waits for one delivery, claimed under a name.
func (t *trial) claimBy(name string) (c webhook.Claim) {
	t.Helper()
	t.waitUntil("a delivery can be claimed", func() bool {
		for _, c = range t.claimNow(webhook.ClaimOptions{N: 1, Lease: long, By: name}) {
			return true
		}
		return false
	})
	return c
}
