package webhook

import (
	"fmt"
	"testing"
)

func TestMemInboxDoesNotKeepRevivedDeliveriesAsDead(t *testing.T) {
	in := &MemInbox{DeadRetention: -1}
	for n := range 10 {
		d := &Delivery{UID: fmt.Sprint(n), Source: "alpha", ID: fmt.Sprint("id ", n), DedupKeys: []string{fmt.Sprint(n)}}
		if err := in.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		for _, s := range []State{Dead, Done} {
			claims, err := in.Claim(t.Context(), ClaimOptions{})
			if err != nil || len(claims) != 1 {
				t.Fatal(claims, err)
			}
			if _, err := in.Settle(t.Context(), claims[0], Outcome{State: s}); err != nil {
				t.Fatal(err)
			}
			if s == Dead {
				again := *d
				again.UID += " again"
				if err := in.Put(t.Context(), &again); !IsDuplicate(err) {
					t.Fatal(err)
				}
			}
		}
	}
	if n := in.dead.len(); n != 0 {
		t.Errorf("%d deliveries are kept as dead and none is", n)
	}
}
