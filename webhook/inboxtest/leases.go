package inboxtest

import (
	"github.com/hookhouse/hookhouse/webhook"
)

// leases: how long a claim holds.
var leases = []law{
	{"a lease that ran out is claimed again", func(t *trial) {
		d := t.put("")
		first := t.claimFor(short)
		second := t.claimOf(d)
		if second.Attempt != first.Attempt+1 || second.Fence <= first.Fence {
			t.Errorf("attempt %d, fence %d after attempt %d, fence %d", second.Attempt, second.Fence, first.Attempt, first.Fence)
		}
	}},
	{"extending keeps the lease", func(t *trial) {
		t.put("")
		c := t.claimFor(4 * short)
		if err := t.in.Extend(t.Context(), c, long); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.pass(5 * short)
		t.nothing("its lease was extended")
	}},
	{"an extended lease ends too", func(t *trial) {
		d := t.put("")
		c := t.claim()
		if err := t.in.Extend(t.Context(), c, short); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.claimOf(d)
	}},
	{"a lease that ran out may be settled until it is claimed again", func(t *trial) {
		t.put("")
		c := t.claimFor(short)
		t.pass(2 * short)
		t.lookElsewhere()
		t.end(c, webhook.Done)
		t.nothing("it is done")
	}},
	{"a lease that ran out may be extended until it is claimed again", func(t *trial) {
		t.put("")
		c := t.claimFor(short)
		t.pass(2 * short)
		t.lookElsewhere()
		if err := t.in.Extend(t.Context(), c, long); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.nothing("it was extended")
	}},
	{"more expired leases than a batch are all claimed again", func(t *trial) {
		const deliveries, batch = 30, 4
		for range deliveries {
			t.put("")
		}
		if got := len(t.now(webhook.ClaimOptions{N: deliveries, Lease: short})); got != deliveries {
			t.Fatalf("claimed %d of %d", got, deliveries)
		}
		again := make(map[string]bool)
		t.until("all are claimed again", func() bool {
			for _, c := range t.now(webhook.ClaimOptions{N: batch, Lease: long}) {
				again[c.Delivery.UID] = true
			}
			return len(again) == deliveries
		})
	}},
}

// lookElsewhere claims what is not there, as a worker of another type does.
func (t *trial) lookElsewhere() {
	t.Helper()
	if got := uids(t.now(webhook.ClaimOptions{N: plenty, Lease: long, Types: []string{"other.type"}})); len(got) > 0 {
		t.Fatalf("claimed %v of a type that was never put", got)
	}
}
