package inboxtest

import (
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// outcomes: what a settlement does, and when it does nothing.
var outcomes = []law{
	{"what is done is not claimed again", func(t *trial) { t.final(webhook.Done) }},
	{"what is dead is not claimed again", func(t *trial) { t.final(webhook.Dead) }},
	{"what is ignored is not claimed again", func(t *trial) { t.final(webhook.Ignored) }},
	{"a retry waits for its delay", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long})
		t.nothing("its retry is not due")
	}},
	{"a retry comes after its delay as the next attempt", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: short})
		if c := t.claim(); c.Attempt != 2 {
			t.Errorf("attempt %d, want 2", c.Attempt)
		}
	}},
	{"a release is not counted", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting})
		t.release(t.claim())
		if c := t.claim(); c.Attempt != 2 {
			t.Errorf("attempt %d after one failure and one release, want 2", c.Attempt)
		}
	}},
	{"the fence rises with every claim", func(t *trial) {
		t.put("")
		last := t.claim()
		for _, uncounted := range []bool{true, false, true, true} {
			t.settle(last, webhook.Outcome{State: webhook.Waiting, Uncounted: uncounted})
			c := t.claim()
			if c.Fence <= last.Fence {
				t.Errorf("fence %d after %d", c.Fence, last.Fence)
			}
			last = c
		}
	}},
	{"a settlement tells the state that came of it", func(t *trial) {
		for _, s := range []webhook.State{webhook.Done, webhook.Ignored, webhook.Dead, webhook.Waiting} {
			t.put("")
			if came := t.settle(t.claim(), webhook.Outcome{State: s, Delay: long}); came != s {
				t.Errorf("settled as %s, and %q came of it", s, came)
			}
		}
	}},
	{"settling again tells what came of it, and changes nothing", func(t *trial) {
		for _, first := range []webhook.State{webhook.Done, webhook.Ignored, webhook.Waiting} {
			d := t.put("", "dedup key of "+string(first))
			c := t.claim()
			t.settle(c, webhook.Outcome{State: first, Delay: long})
			for _, again := range []webhook.State{first, webhook.Dead, webhook.Waiting} {
				if came := t.settle(c, webhook.Outcome{State: again, Delay: 2 * long}); came != first {
					t.Errorf("settled as %s, then as %s: told %q", first, again, came)
				}
			}
			if got := t.state(d); got != first {
				t.Errorf("settled as %s, then otherwise: it is %s", first, got)
			}
		}
	}},
	{"a claim tells the reason of the last outcome", func(t *trial) {
		t.put("")
		for _, reason := range []string{"", "the first", "the second"} {
			c := t.claim()
			if c.Reason != reason {
				t.Errorf("reason %q, want %q", c.Reason, reason)
			}
			next := map[string]string{"": "the first", "the first": "the second"}[reason]
			t.settle(c, webhook.Outcome{State: webhook.Waiting, Reason: next})
		}
	}},
	{"settling a lost claim changes nothing", func(t *trial) {
		d := t.put("", "mark")
		old, held := t.lost()
		for _, s := range []webhook.State{webhook.Done, webhook.Waiting, webhook.Dead} {
			_, err := t.in.Settle(t.Context(), old, webhook.Outcome{State: s})
			if !errors.Is(err, webhook.ErrClaimLost) {
				t.Errorf("Settle of a lost claim as %s returned %v", s, err)
			}
		}
		if got := t.state(d); got != webhook.Claimed {
			t.Fatalf("state %s, want claimed", got)
		}
		t.end(held, webhook.Done)
	}},
	{"extending a lost claim is ErrClaimLost", func(t *trial) {
		t.put("")
		old, _ := t.lost()
		if err := t.in.Extend(t.Context(), old, short); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend of a lost claim returned %v", err)
		}
	}},
	{"a claim of what is not there is ErrClaimLost", func(t *trial) {
		c := webhook.Claim{Delivery: t.delivery(""), Attempt: 1, Fence: 1}
		if _, err := t.in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle returned %v", err)
		}
		if err := t.in.Extend(t.Context(), c, long); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend returned %v", err)
		}
		if _, err := t.in.Begin(t.Context(), c); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin returned %v", err)
		}
	}},
	{"extending what was settled is ErrClaimLost", func(t *trial) {
		t.put("")
		c := t.claim()
		t.settle(c, webhook.Outcome{State: webhook.Waiting})
		if err := t.in.Extend(t.Context(), c, long); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend of a settled claim returned %v", err)
		}
	}},
	{"a state that is no outcome is refused", func(t *trial) {
		t.put("")
		c := t.claim()
		for _, s := range []webhook.State{"", webhook.Claimed, webhook.Blocked, webhook.Superseded, "finished"} {
			_, err := t.in.Settle(t.Context(), c, webhook.Outcome{State: s})
			if err == nil || errors.Is(err, webhook.ErrClaimLost) {
				t.Errorf("Settle as %q returned %v", s, err)
			}
		}
		t.end(c, webhook.Done)
	}},
	{"settling one leaves its neighbours", func(t *trial) {
		t.put("")
		other := t.put("", "mark")
		claims := t.all()
		if len(claims) != 2 {
			t.Fatalf("claimed %d of 2", len(claims))
		}
		t.end(claims[0], webhook.Done)
		if got := t.state(other); got != webhook.Claimed {
			t.Errorf("state of the other is %s, want claimed", got)
		}
	}},
}

// final ends a delivery and waits for more than its lease.
func (t *trial) final(s webhook.State) {
	t.Helper()
	t.put("")
	t.end(t.claimFor(short), s)
	t.nothing("it is " + string(s))
	t.pass(2 * short)
	t.nothing("it is " + string(s))
}
