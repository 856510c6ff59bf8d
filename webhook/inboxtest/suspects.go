package inboxtest

import (
	"errors"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// suspects are the laws of claims that were lost, that is, never settled.
var suspects = []law{
	{"after one lost claim a delivery is claimed whole, as attempt 2", func(t *trial) {
		full := t.putFull()
		t.claimFor(short)
		c := t.claim()
		if c.Suspect || c.Crashes != 0 || c.Attempt != 2 {
			t.Errorf("suspect %t, %d crashes, attempt %d; want false, 0, 2", c.Suspect, c.Crashes, c.Attempt)
		}
		t.same(c.Delivery, full)
	}},
	{"after two lost claims in a row a delivery is suspect", func(t *trial) {
		t.put("")
		t.claimFor(short)
		t.claimFor(short)
		if c := t.claim(); !c.Suspect {
			t.Errorf("not suspect")
		}
	}},
	{"a suspect claim has no Header, DedupKeys and Body", func(t *trial) {
		full := t.putFull()
		got := *t.suspect().Delivery
		if got.Header != nil || got.DedupKeys != nil || got.Body != nil {
			t.Errorf("header %v, dedup keys %v and a body of %d bytes, want none", got.Header, got.DedupKeys, len(got.Body))
		}
		got.Header, got.DedupKeys, got.Body = full.Header, full.DedupKeys, full.Body
		t.same(&got, full)
	}},
	{"Begin returns Header, DedupKeys and Body", func(t *trial) {
		full := t.putFull()
		c := t.suspect()
		begun := t.begin(c)
		t.same(begun.Delivery, full)
		if begun.Fence != c.Fence || begun.Attempt != c.Attempt {
			t.Errorf("Begin returned fence %d, attempt %d, want fence %d, attempt %d", begun.Fence, begun.Attempt, c.Fence, c.Attempt)
		}
	}},
	{"a suspect claim that is lost before Begin does not count as an attempt", func(t *trial) {
		t.put("")
		for range 3 {
			if c := t.suspect(); c.Attempt != 3 || c.Crashes != 0 {
				t.Errorf("attempt %d, %d crashes, want 3 and 0", c.Attempt, c.Crashes)
			}
		}
	}},
	{"a suspect claim that is lost after Begin counts as an attempt and a crash", func(t *trial) {
		t.put("")
		for n := range 3 {
			c := t.suspect()
			if c.Attempt != 3+n || c.Crashes != n {
				t.Errorf("attempt %d, %d crashes, want %d and %d", c.Attempt, c.Crashes, 3+n, n)
			}
			t.begin(c)
		}
	}},
	{"a second Begin of a claim does not count", func(t *trial) {
		d := t.delivery("")
		d.Body = []byte("twice")
		t.store(d)
		c := t.suspect()
		t.begin(c)
		if again := t.begin(c); again.Attempt != 3 || string(again.Delivery.Body) != "twice" {
			t.Errorf("the second Begin returned attempt %d, body %q, want 3, twice", again.Attempt, again.Delivery.Body)
		}
		if c := t.suspect(); c.Attempt != 4 || c.Crashes != 1 {
			t.Errorf("attempt %d, %d crashes, want 4 and 1", c.Attempt, c.Crashes)
		}
	}},
	{"Begin of a lost claim returns ErrClaimLost", func(t *trial) {
		t.put("")
		lost := t.suspect()
		current := t.suspect()
		if _, err := t.in.Begin(t.Context(), lost); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin of a lost claim returned %v", err)
		}
		t.end(t.begin(current), webhook.Done)
		if _, err := t.in.Begin(t.Context(), current); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin of a settled claim returned %v", err)
		}
	}},
	{"a settled delivery is not suspect any more", func(t *trial) {
		full := t.putFull()
		t.settle(t.begin(t.suspect()), webhook.Outcome{State: webhook.Waiting})
		c := t.claimFor(short)
		if c.Suspect || c.Crashes != 0 || c.Attempt != 4 {
			t.Errorf("suspect %t, %d crashes, attempt %d; want false, 0, 4", c.Suspect, c.Crashes, c.Attempt)
		}
		t.same(c.Delivery, full)
		if c := t.claim(); c.Suspect {
			t.Errorf("suspect after one lost claim")
		}
	}},
	{"a suspect that is released before Begin stays suspect", func(t *trial) {
		t.put("")
		t.begin(t.suspect())
		t.release(t.suspect())
		if c := t.claim(); !c.Suspect || c.Crashes != 1 || c.Attempt != 4 {
			t.Errorf("suspect %t, %d crashes, attempt %d; want true, 1, 4", c.Suspect, c.Crashes, c.Attempt)
		}
	}},
	{"a suspect that is released after Begin is not suspect any more", func(t *trial) {
		t.put("")
		t.release(t.begin(t.suspect()))
		if c := t.claim(); c.Suspect || c.Attempt != 3 {
			t.Errorf("suspect %t, attempt %d; want false, 3", c.Suspect, c.Attempt)
		}
	}},
	{"a suspect can be settled without Begin", func(t *trial) {
		t.put("")
		t.end(t.suspect(), webhook.Dead)
		t.advance(2 * short)
		t.requireNoClaim("it is dead")
	}},
	{"Extend prolongs the lease of a suspect", func(t *trial) {
		t.put("")
		c := t.suspect()
		if err := t.in.Extend(t.Context(), c, long); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.advance(2 * short)
		t.requireNoClaim("its lease was extended")
		t.end(t.begin(c), webhook.Done)
	}},
}

// putFull stores a delivery with the fields that a suspect claim does not have.
func (t *trial) putFull() *webhook.Delivery {
	t.Helper()
	d := t.delivery("", "dedup key")
	d.ID, d.Body = "whole", []byte("the whole body")
	d.Header = http.Header{"X-Name": {"value"}}
	return t.store(d)
}
