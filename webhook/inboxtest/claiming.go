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
	{"the bodies of one claim stay within MaxBytes", func(t *trial) {
		for range 4 {
			t.putSized(400)
		}
		if got := len(t.now(webhook.ClaimOptions{N: plenty, Lease: long, MaxBytes: 1000})); got != 2 {
			t.Errorf("claimed %d of 400 bytes each with MaxBytes 1000, want 2", got)
		}
	}},
	{"the first is claimed whatever its size", func(t *trial) {
		d := t.putSized(2000)
		t.putSized(10)
		if got := uids(t.now(webhook.ClaimOptions{N: plenty, Lease: long, MaxBytes: 1000})); !slices.Equal(got, []string{d.UID}) {
			t.Errorf("claimed %v, want %s alone", got, d.UID)
		}
	}},
	{"what does not fit into MaxBytes is not passed by younger ones", func(t *trial) {
		first, large := t.putSized(10), t.putSized(5000)
		t.putSized(10)
		for _, d := range []*webhook.Delivery{first, large} {
			if got := uids(t.now(webhook.ClaimOptions{N: 2, Lease: long, MaxBytes: 1000})); !slices.Equal(got, []string{d.UID}) {
				t.Fatalf("claimed %v, want %s alone", got, d.UID)
			}
		}
	}},
	{"MaxBytes of zero means 8 MiB", func(t *trial) {
		for range 3 {
			t.putSized(3 << 20)
		}
		if got := len(t.all()); got != 2 {
			t.Errorf("claimed %d of 3 MiB each, want 2", got)
		}
	}},
	{"what is excepted is not claimed", func(t *trial) {
		a, b, c := t.put(""), t.put(""), t.put("")
		o := webhook.ClaimOptions{N: plenty, Lease: long, Except: []string{a.UID, "another", c.UID, c.UID}}
		if got := uids(t.now(o)); !slices.Equal(got, []string{b.UID}) {
			t.Fatalf("claimed %v, want %s alone", got, b.UID)
		}
		if got := uids(t.all()); !slices.Equal(got, []string{a.UID, c.UID}) {
			t.Errorf("claimed %v without the exception", got)
		}
	}},
	{"a lease that ran out is not claimed again where it is excepted", func(t *trial) {
		d := t.put("")
		t.claimFor(short)
		t.pass(2 * short)
		if got := uids(t.now(webhook.ClaimOptions{N: plenty, Lease: long, Except: []string{d.UID}})); len(got) > 0 {
			t.Errorf("claimed %v", got)
		}
		if c := t.claimOf(d); c.Attempt != 2 {
			t.Errorf("attempt %d, want 2", c.Attempt)
		}
	}},
	{"what is excepted holds its key", func(t *trial) {
		d := t.put("key")
		t.put("key")
		if got := uids(t.now(webhook.ClaimOptions{N: plenty, Lease: long, Except: []string{d.UID}})); len(got) > 0 {
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

// putSized stores a delivery with a body of so many bytes.
func (t *trial) putSized(bytes int) *webhook.Delivery {
	t.Helper()
	d := t.delivery("")
	d.Body = make([]byte, bytes)
	return t.store(d)
}
