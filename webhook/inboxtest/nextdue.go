package inboxtest

import (
	"math"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// nextDue are the laws of a [webhook.NextDuer]. Every other Queue passes.
var nextDue = []law{
	ifNextDuer("NextDue of an inbox without deliveries is the largest duration", func(t *trial, n webhook.NextDuer) {
		t.requireNever(n, webhook.ClaimOptions{})
		t.put("")
		t.end(t.claim(), webhook.Done)
		t.requireNever(n, webhook.ClaimOptions{})
	}),
	ifNextDuer("NextDue is not positive while a delivery can be claimed", func(t *trial, n webhook.NextDuer) {
		t.put("")
		if wait := t.nextDue(n, webhook.ClaimOptions{}); wait > 0 {
			t.Errorf("NextDue is %v", wait)
		}
		t.claim()
	}),
	ifNextDuer("when NextDue is over the first delivery that waits can be claimed", func(t *trial, n webhook.NextDuer) {
		t.put("later")
		t.settle(t.claim(), webhook.Outcome{State: webhook.Waiting, Delay: long, Uncounted: true})
		d := t.put("key")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: 2 * short, Uncounted: true})
		wait := t.nextDue(n, webhook.ClaimOptions{})
		if wait > 2*short {
			t.Errorf("NextDue is %v, want at most %v", wait, 2*short)
		}
		t.advance(wait)
		if got := t.claimAll(); len(got) != 1 || got[0].Delivery.UID != d.UID {
			t.Errorf("claimed %v after that, want %s", uids(got), d.UID)
		}
	}),
	ifNextDuer("when NextDue is over a claim can be claimed whose lease ends first", func(t *trial, n webhook.NextDuer) {
		d := t.put("")
		t.claimFor(short)
		wait := t.nextDue(n, webhook.ClaimOptions{})
		if wait <= 0 || wait > short {
			t.Errorf("NextDue is %v, want at most %v", wait, short)
		}
		t.advance(wait)
		t.claimOf(d)
	}),
	ifNextDuer("NextDue looks at the types that are asked for", func(t *trial, n webhook.NextDuer) {
		t.put("")
		if _, taken := t.claimTypes(otherType); !taken {
			return
		}
		t.requireNever(n, webhook.ClaimOptions{Types: []string{otherType}})
		t.requireNever(n, webhook.ClaimOptions{Types: []string{}})
	}),
	ifNextDuer("NextDue leaves out what a claim leaves out", func(t *trial, n webhook.NextDuer) {
		d := t.put("")
		t.requireNever(n, webhook.ClaimOptions{Except: []string{d.UID}})
		t.claimOf(d)
	}),
	ifNextDuer("NextDue leaves out blocked deliveries", func(t *trial, n webhook.NextDuer) {
		d := t.put("key")
		t.put("key")
		t.claimOf(d)
		if wait := t.nextDue(n, webhook.ClaimOptions{}); wait < long/2 {
			t.Errorf("NextDue is %v, want about %v", wait, long)
		}
	}),
	ifNextDuer("a lease that is cut short closes the channel of Changed", func(t *trial, n webhook.NextDuer) {
		t.put("")
		c := t.claim()
		changed := n.Changed()
		if err := t.in.Extend(t.Context(), c, 2*short); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.requireChanged(changed)
	}),
	ifNextDuer("a context that has ended asks for no NextDue", func(t *trial, n webhook.NextDuer) {
		if _, err := n.NextDue(t.canceled(), webhook.ClaimOptions{}); err == nil {
			t.Errorf("NextDue returned no error")
		}
	}),
}

// nextDueOfAdmin is the law of a NextDuer that is a [webhook.Admin].
var nextDueOfAdmin = []law{
	ifNextDuer("NextDue leaves out paused types", func(t *trial, n webhook.NextDuer) {
		t.put("")
		if err := t.admin().Pause(t.Context(), someType, someone); err != nil {
			t.Fatalf("Pause: %v", err)
		}
		t.requireNever(n, webhook.ClaimOptions{})
	}),
}

func ifNextDuer(name string, check func(t *trial, n webhook.NextDuer)) law {
	return law{name, func(t *trial) {
		if n, ok := t.queue().(webhook.NextDuer); ok {
			check(t, n)
		}
	}}
}

// nextDue calls NextDue, which must succeed.
func (t *trial) nextDue(n webhook.NextDuer, o webhook.ClaimOptions) time.Duration {
	t.Helper()
	wait, err := n.NextDue(t.Context(), o)
	if err != nil {
		t.Fatalf("NextDue: %v", err)
	}
	return wait
}

// requireNever requires that NextDue is the largest duration.
func (t *trial) requireNever(n webhook.NextDuer, o webhook.ClaimOptions) {
	t.Helper()
	if wait := t.nextDue(n, o); wait != math.MaxInt64 {
		t.Errorf("NextDue of %+v is %v, want the largest duration", o, wait)
	}
}
