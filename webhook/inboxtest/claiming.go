package inboxtest

import (
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// claiming are the laws of Claim: how many deliveries it returns, and which.
var claiming = []law{
	{"Claim of an empty inbox returns no error", func(t *trial) {
		t.requireNoClaim("the inbox is empty")
	}},
	{"Claim returns N claims at most", func(t *trial) {
		for range 5 {
			t.put("")
		}
		if got := len(t.claimNow(webhook.ClaimOptions{N: 2, Lease: long})); got != 2 {
			t.Errorf("claimed %d of 5 with N 2", got)
		}
	}},
	{"an N of zero means 1", func(t *trial) {
		t.put("")
		t.put("")
		if got := len(t.claimNow(webhook.ClaimOptions{Lease: long})); got != 1 {
			t.Errorf("claimed %d of 2 with N zero", got)
		}
	}},
	{"a claim with a Lease of zero does not expire at once", func(t *trial) {
		t.put("")
		if got := len(t.claimNow(webhook.ClaimOptions{N: 1})); got != 1 {
			t.Fatalf("claimed %d of 1", got)
		}
		t.requireNoClaim("it is claimed")
	}},
	{"the oldest delivery is claimed first", func(t *trial) {
		for _, d := range []*webhook.Delivery{t.put(""), t.put(""), t.put(""), t.put("")} {
			t.claimOf(d)
		}
	}},
	{"the claims of one call are sorted from old to new", func(t *trial) {
		var want []string
		for range 20 {
			want = append(want, t.put("").UID)
		}
		if got := uids(t.claimAll()); !slices.Equal(got, want) {
			t.Errorf("claimed %v, want %v", got, want)
		}
	}},
	{"a claimed delivery is not claimed again", func(t *trial) {
		t.put("")
		t.claim()
		t.requireNoClaim("it is claimed")
	}},
	{"the first claim of a delivery is attempt 1", func(t *trial) {
		t.put("")
		if c := t.claim(); c.Attempt != 1 {
			t.Errorf("attempt %d, want 1", c.Attempt)
		}
	}},
	{"only deliveries of the given Types are claimed", func(t *trial) {
		a := t.putType("alpha.a")
		t.putType("alpha.b")
		c := t.putType("alpha.c")
		claims, taken := t.claimTypes("alpha.c", "alpha.a", "alpha.none")
		if got, want := uids(claims), []string{a.UID, c.UID}; taken && !slices.Equal(got, want) {
			t.Errorf("claimed %v, want %v", got, want)
		}
	}},
	{"if Types is nil, deliveries of every type are claimed", func(t *trial) {
		t.putType("alpha.a")
		t.putType("alpha.b")
		if got := len(t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, Types: nil})); got != 2 {
			t.Errorf("claimed %d of 2", got)
		}
	}},
	{"if Types is empty and not nil, nothing is claimed", func(t *trial) {
		t.put("")
		if got, _ := t.claimTypes(); len(got) > 0 {
			t.Errorf("claimed %v", uids(got))
		}
	}},
	{"Types that are not nil are refused always or never, and then nothing is claimed", func(t *trial) {
		_, taken := t.claimTypes("alpha.none")
		for _, types := range [][]string{{}, {someType}, {"alpha.none", someType}} {
			d := t.put("")
			if _, again := t.claimTypes(types...); again != taken {
				t.Fatalf("Types %q are taken: %t; those of another call: %t", types, again, taken)
			}
			if taken {
				continue
			}
			if c := t.claimOf(d); c.Attempt != 1 {
				t.Errorf("attempt %d after the Types %q were refused, want 1", c.Attempt, types)
			}
		}
	}},
	{"the bodies of one call have MaxBytes in total at most", func(t *trial) {
		for range 4 {
			t.putSized(400)
		}
		if got := len(t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, MaxBytes: 1000})); got != 2 {
			t.Errorf("claimed %d bodies of 400 bytes with MaxBytes 1000, want 2", got)
		}
	}},
	{"the first delivery is claimed even if its body exceeds MaxBytes", func(t *trial) {
		d := t.putSized(2000)
		t.putSized(10)
		if got := uids(t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, MaxBytes: 1000})); !slices.Equal(got, []string{d.UID}) {
			t.Errorf("claimed %v, want only %s", got, d.UID)
		}
	}},
	{"younger deliveries do not overtake one that exceeds MaxBytes", func(t *trial) {
		first, large := t.putSized(10), t.putSized(5000)
		t.putSized(10)
		for _, d := range []*webhook.Delivery{first, large} {
			if got := uids(t.claimNow(webhook.ClaimOptions{N: 2, Lease: long, MaxBytes: 1000})); !slices.Equal(got, []string{d.UID}) {
				t.Fatalf("claimed %v, want only %s", got, d.UID)
			}
		}
	}},
	{"a MaxBytes of zero means 8 MiB", func(t *trial) {
		for range 3 {
			t.putSized(3 << 20)
		}
		if got := len(t.claimAll()); got != 2 {
			t.Errorf("claimed %d bodies of 3 MiB, want 2", got)
		}
	}},
	{"a delivery in Except is not claimed", func(t *trial) {
		a, b, c := t.put(""), t.put(""), t.put("")
		o := webhook.ClaimOptions{N: plenty, Lease: long, Except: []string{a.UID, "another", c.UID, c.UID}}
		if got := uids(t.claimNow(o)); !slices.Equal(got, []string{b.UID}) {
			t.Fatalf("claimed %v, want only %s", got, b.UID)
		}
		if got := uids(t.claimAll()); !slices.Equal(got, []string{a.UID, c.UID}) {
			t.Errorf("claimed %v without Except, want %s and %s", got, a.UID, c.UID)
		}
	}},
	{"a delivery in Except is not claimed after its lease expired", func(t *trial) {
		d := t.put("")
		t.claimFor(short)
		t.advance(2 * short)
		if got := uids(t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, Except: []string{d.UID}})); len(got) > 0 {
			t.Errorf("claimed %v", got)
		}
		if c := t.claimOf(d); c.Attempt != 2 {
			t.Errorf("attempt %d, want 2", c.Attempt)
		}
	}},
	{"a delivery in Except blocks its ordering key", func(t *trial) {
		d := t.put("key")
		t.put("key")
		if got := uids(t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, Except: []string{d.UID}})); len(got) > 0 {
			t.Errorf("claimed %v", got)
		}
	}},
	{"concurrent calls never claim the same delivery", func(t *trial) {
		const deliveries, claimers = 60, 8
		for range deliveries {
			t.put("")
		}
		var (
			mu      sync.Mutex
			claimed = make(map[string]int)
			calls   sync.WaitGroup
		)
		for range claimers {
			calls.Go(func() {
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
		calls.Wait()
		for _, c := range t.claimAll() { // a delivery that no call returned
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

// putType stores a delivery of a type.
func (t *trial) putType(typ string) *webhook.Delivery {
	t.Helper()
	d := t.delivery("")
	d.Type = typ
	return t.store(d)
}

// putSized stores a delivery with a body of the given size.
func (t *trial) putSized(bytes int) *webhook.Delivery {
	t.Helper()
	d := t.delivery("")
	d.Body = bodyOf(bytes)
	return t.store(d)
}
