package inboxtest

import (
	"github.com/hookhouse/hookhouse/webhook"
)

// leases are the laws of the time for which a claim is valid.
var leases = []law{
	{"a delivery is claimed again after its lease expired", func(t *trial) {
		d := t.put("")
		first := t.claimFor(short)
		second := t.claimOf(d)
		if second.Attempt != first.Attempt+1 || second.Fence <= first.Fence {
			t.Errorf("attempt %d with fence %d follows attempt %d with fence %d", second.Attempt, second.Fence, first.Attempt, first.Fence)
		}
	}},
	{"Extend prolongs the lease", func(t *trial) {
		t.put("")
		c := t.claimFor(4 * short)
		if err := t.in.Extend(t.Context(), c, long); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.advance(5 * short)
		t.requireNoClaim("its lease was extended")
	}},
	{"an extended lease expires too", func(t *trial) {
		d := t.put("")
		c := t.claim()
		if err := t.in.Extend(t.Context(), c, short); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.claimOf(d)
	}},
	{"a claim with an expired lease can be settled until the delivery is claimed again", func(t *trial) {
		t.put("")
		c := t.claimFor(short)
		t.advance(2 * short)
		t.claimOtherType()
		t.end(c, webhook.Done)
		t.requireNoClaim("it is done")
	}},
	{"a claim with an expired lease can be extended until the delivery is claimed again", func(t *trial) {
		t.put("")
		c := t.claimFor(short)
		t.advance(2 * short)
		t.claimOtherType()
		if err := t.in.Extend(t.Context(), c, long); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.requireNoClaim("it was extended")
	}},
	{"all deliveries with expired leases are claimed again, even if they exceed N", func(t *trial) {
		const deliveries, n = 30, 4
		for range deliveries {
			t.put("")
		}
		if got := len(t.claimNow(webhook.ClaimOptions{N: deliveries, Lease: short})); got != deliveries {
			t.Fatalf("claimed %d of %d", got, deliveries)
		}
		again := make(map[string]bool)
		t.waitUntil("all deliveries are claimed again", func() bool {
			for _, c := range t.claimNow(webhook.ClaimOptions{N: n, Lease: long}) {
				again[c.Delivery.UID] = true
			}
			return len(again) == deliveries
		})
	}},
}

// claimOtherType claims a type that has no deliveries, as another worker may.
func (t *trial) claimOtherType() {
	t.Helper()
	if got, _ := t.claimTypes("other.type"); len(got) > 0 {
		t.Fatalf("claimed %v of a type that was never put", uids(got))
	}
}
