package inboxtest

import (
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// claiming: how many, which, and to whom.
var claiming = []law{
	{"claiming from an empty inbox is no error", func(t *trial) {
		t.nothing("nothing was put")
	}},
	{"a claim takes at most N", func(t *trial) {
		for range 5 {
			t.put("")
		}
		if got := len(t.now(webhook.ClaimOptions{N: 2, Lease: long})); got != 2 {
			t.Errorf("claimed %d of 5 with N 2", got)
		}
	}},
	{"N of zero means one", func(t *trial) {
		t.put("")
		t.put("")
		if got := len(t.now(webhook.ClaimOptions{Lease: long})); got != 1 {
			t.Errorf("claimed %d of 2 with N zero", got)
		}
	}},
	{"a lease of zero means some time", func(t *trial) {
		t.put("")
		if got := len(t.now(webhook.ClaimOptions{N: 1})); got != 1 {
			t.Fatalf("claimed %d of 1", got)
		}
		t.nothing("it is claimed")
	}},
	{"the oldest comes first", func(t *trial) {
		for _, d := range []*webhook.Delivery{t.put(""), t.put(""), t.put(""), t.put("")} {
			t.claimOf(d)
		}
	}},
	{"the claims of one call are in order", func(t *trial) {
		var want []string
		for range 20 {
			want = append(want, t.put("").UID)
		}
		if got := uids(t.all()); !slices.Equal(got, want) {
			t.Errorf("claimed %v, want %v", got, want)
		}
	}},
	{"what is claimed is not claimed again", func(t *trial) {
		t.put("")
		t.claim()
		t.nothing("it is claimed")
	}},
	{"the first run is attempt 1", func(t *trial) {
		t.put("")
		if c := t.claim(); c.Attempt != 1 {
			t.Errorf("attempt %d, want 1", c.Attempt)
		}
	}},
	{"types choose what is claimed", func(t *trial) {
		a := t.putType("alpha.a")
		t.putType("alpha.b")
		c := t.putType("alpha.c")
		claims := t.now(webhook.ClaimOptions{N: plenty, Lease: long, Types: []string{"alpha.c", "alpha.a", "alpha.none"}})
		if got, want := uids(claims), []string{a.UID, c.UID}; !slices.Equal(got, want) {
			t.Errorf("claimed %v, want %v", got, want)
		}
	}},
	{"nil types claim every type", func(t *trial) {
		t.putType("alpha.a")
		t.putType("alpha.b")
		if got := len(t.now(webhook.ClaimOptions{N: plenty, Lease: long, Types: nil})); got != 2 {
			t.Errorf("claimed %d of 2", got)
		}
	}},
	{"empty types claim nothing", func(t *trial) {
		t.put("")
		if got := uids(t.now(webhook.ClaimOptions{N: plenty, Lease: long, Types: []string{}})); len(got) > 0 {
			t.Errorf("claimed %v", got)
		}
	}},
	{"claimers at once never share a delivery", func(t *trial) {
		const deliveries, claimers = 60, 8
		for range deliveries {
			t.put("")
		}
		var (
			mu      sync.Mutex
			claimed = make(map[string]int)
			left    sync.WaitGroup
		)
		for range claimers {
			left.Go(func() {
				for {
					claims, err := t.in.Claim(t.Context(), webhook.ClaimOptions{N: 3, Lease: long})
					if err != nil {
						t.Errorf("Claim: %v", err)
					}
					if len(claims) == 0 {
						return
					}
					mu.Lock()
					for _, c := range claims {
						claimed[c.Delivery.UID]++
					}
					mu.Unlock()
				}
			})
		}
		left.Wait()
		for _, c := range t.all() { // what a claimer did not see while others held it
			claimed[c.Delivery.UID]++
		}
		if len(claimed) != deliveries {
			t.Errorf("claimed %d of %d", len(claimed), deliveries)
		}
		for uid, times := range claimed {
			if times != 1 {
				t.Errorf("%s was claimed %d times", uid, times)
			}
		}
	}},
}

func (t *trial) putType(typ string) *webhook.Delivery {
	t.Helper()
	d := t.delivery("")
	d.Type = typ
	return t.store(d)
}
