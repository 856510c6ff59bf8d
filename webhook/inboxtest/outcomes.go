package inboxtest

import (
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// outcomes are the laws of Settle, Extend and Begin.
var outcomes = []law{
	{"a done delivery is not claimed again", func(t *trial) { t.requireFinal(webhook.Done) }},
	{"a dead delivery is not claimed again", func(t *trial) { t.requireFinal(webhook.Dead) }},
	{"an ignored delivery is not claimed again", func(t *trial) { t.requireFinal(webhook.Ignored) }},
	{"a retry is not claimed before its delay is over", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long})
		t.requireNoClaim("its retry is not due")
	}},
	{"a retry is claimed after its delay, as the next attempt", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: short})
		if c := t.claim(); c.Attempt != 2 {
			t.Errorf("attempt %d, want 2", c.Attempt)
		}
	}},
	{"a release does not count as an attempt", func(t *trial) {
		t.put("")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting})
		t.release(t.claim())
		if c := t.claim(); c.Attempt != 2 {
			t.Errorf("attempt %d after a failure and a release, want 2", c.Attempt)
		}
	}},
	{"the fence increases with every claim", func(t *trial) {
		t.put("")
		last := t.claim()
		for _, uncounted := range []bool{true, false, true, true} {
			t.settle(last, webhook.Outcome{State: webhook.Waiting, Uncounted: uncounted})
			c := t.claim()
			if c.Fence <= last.Fence {
				t.Errorf("fence %d follows %d", c.Fence, last.Fence)
			}
			last = c
		}
	}},
	{"Settle returns the state of the delivery", func(t *trial) {
		for _, s := range []webhook.State{webhook.Done, webhook.Ignored, webhook.Dead, webhook.Waiting} {
			t.put("")
			if got := t.settle(t.claim(), webhook.Outcome{State: s, Delay: long}); got != s {
				t.Errorf("Settle as %s returned %q", s, got)
			}
		}
	}},
	{"a second Settle of a claim returns the first result and changes nothing", func(t *trial) {
		for _, first := range []webhook.State{webhook.Done, webhook.Ignored, webhook.Waiting} {
			d := t.put("")
			c := t.claim()
			t.settle(c, webhook.Outcome{State: first})
			for _, again := range []webhook.Outcome{{State: webhook.Dead}, {State: webhook.Waiting, Delay: long}, {State: webhook.Waiting}, {State: first}} {
				if got := t.settle(c, again); got != first {
					t.Errorf("Settle as %s after one as %s returned %q", again.State, first, got)
				}
			}
			if first == webhook.Waiting {
				t.claimOf(d)
			} else {
				t.requireNoClaim("it is " + string(first))
			}
		}
	}},
	{"a claim has the reason of the last outcome", func(t *trial) {
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
	{"Settle of a lost claim returns ErrClaimLost and changes nothing", func(t *trial) {
		t.put("")
		lost, current := t.loseClaim()
		for _, s := range []webhook.State{webhook.Done, webhook.Waiting, webhook.Dead} {
			_, err := t.in.Settle(t.Context(), lost, webhook.Outcome{State: s})
			if !errors.Is(err, webhook.ErrClaimLost) {
				t.Errorf("Settle of a lost claim as %s returned %v", s, err)
			}
		}
		t.requireStillClaimed(current)
	}},
	{"Extend of a lost claim returns ErrClaimLost", func(t *trial) {
		t.put("")
		lost, _ := t.loseClaim()
		if err := t.in.Extend(t.Context(), lost, short); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend of a lost claim returned %v", err)
		}
	}},
	{"Settle, Extend and Begin of an unknown delivery return ErrClaimLost", func(t *trial) {
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
	{"Extend of a settled claim returns ErrClaimLost", func(t *trial) {
		t.put("")
		c := t.claim()
		t.settle(c, webhook.Outcome{State: webhook.Waiting})
		if err := t.in.Extend(t.Context(), c, long); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend of a settled claim returned %v", err)
		}
	}},
	{"Settle refuses a state that is no outcome", func(t *trial) {
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
	{"Settle of one claim does not change other deliveries", func(t *trial) {
		t.put("")
		t.put("")
		claims := t.claimAll()
		if len(claims) != 2 {
			t.Fatalf("claimed %d of 2", len(claims))
		}
		t.end(claims[0], webhook.Done)
		t.requireStillClaimed(claims[1])
	}},
}

// requireStillClaimed requires that the claim is held, and settles it.
func (t *trial) requireStillClaimed(c webhook.Claim) {
	t.Helper()
	t.requireNoClaim("it is claimed")
	if got := t.settle(c, webhook.Outcome{State: webhook.Ignored}); got != webhook.Ignored {
		t.Errorf("Settle as ignored returned %q: the claim was settled before", got)
	}
}

// requireFinal ends a delivery and requires that it is not claimed again, also not
// after its lease.
func (t *trial) requireFinal(s webhook.State) {
	t.Helper()
	t.put("")
	t.end(t.claimFor(short), s)
	t.requireNoClaim("it is " + string(s))
	t.advance(2 * short)
	t.requireNoClaim("it is " + string(s))
}
