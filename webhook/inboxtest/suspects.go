package inboxtest

import (
	"errors"
	"net/http"

	"github.com/hookhouse/hookhouse/webhook"
)

// suspects: what is told of claims that end without a word.
var suspects = []law{
	{"what was lost once comes back whole and counted", func(t *trial) {
		whole := t.whole()
		t.claimFor(short)
		c := t.claim()
		if c.Suspect || c.Crashes != 0 || c.Attempt != 2 {
			t.Errorf("suspect %t, %d crashes, attempt %d; want the second attempt of one that is not suspect", c.Suspect, c.Crashes, c.Attempt)
		}
		t.same(c.Delivery, whole)
	}},
	{"what was lost twice in a row is suspect", func(t *trial) {
		t.put("")
		t.claimFor(short)
		t.claimFor(short)
		if c := t.claim(); !c.Suspect {
			t.Errorf("not suspect")
		}
	}},
	{"a suspect comes without header, dedup keys and body", func(t *trial) {
		whole := t.whole()
		got := *t.suspect().Delivery
		if got.Header != nil || got.DedupKeys != nil || got.Body != nil {
			t.Errorf("it has header %v, dedup keys %v and a body of %d bytes", got.Header, got.DedupKeys, len(got.Body))
		}
		got.Header, got.DedupKeys, got.Body = whole.Header, whole.DedupKeys, whole.Body
		t.same(&got, whole)
	}},
	{"beginning brings header, dedup keys and body", func(t *trial) {
		whole := t.whole()
		c := t.suspect()
		begun := t.begin(c)
		t.same(begun.Delivery, whole)
		if begun.Fence != c.Fence || begun.Attempt != c.Attempt {
			t.Errorf("fence %d, attempt %d begun, fence %d, attempt %d claimed", begun.Fence, begun.Attempt, c.Fence, c.Attempt)
		}
	}},
	{"a suspect that never begins costs no attempt", func(t *trial) {
		t.put("")
		for range 3 {
			if c := t.suspect(); c.Attempt != 3 || c.Crashes != 0 {
				t.Errorf("attempt %d, %d crashes, want 3 and none", c.Attempt, c.Crashes)
			}
		}
	}},
	{"a suspect that begins and is lost costs an attempt and is a crash", func(t *trial) {
		t.put("")
		for n := range 3 {
			c := t.suspect()
			if c.Attempt != 3+n || c.Crashes != n {
				t.Errorf("attempt %d, %d crashes, want %d and %d", c.Attempt, c.Crashes, 3+n, n)
			}
			t.begin(c)
		}
	}},
	{"beginning twice counts once", func(t *trial) {
		d := t.delivery("")
		d.Body = []byte("twice")
		t.store(d)
		c := t.suspect()
		t.begin(c)
		if again := t.begin(c); again.Attempt != 3 || string(again.Delivery.Body) != "twice" {
			t.Errorf("attempt %d, body %q the second time, want 3 and the body", again.Attempt, again.Delivery.Body)
		}
		if c := t.suspect(); c.Attempt != 4 || c.Crashes != 1 {
			t.Errorf("attempt %d, %d crashes, want 4 and 1", c.Attempt, c.Crashes)
		}
	}},
	{"beginning a lost claim is ErrClaimLost", func(t *trial) {
		t.put("")
		old := t.suspect()
		held := t.suspect()
		if _, err := t.in.Begin(t.Context(), old); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin of a lost claim returned %v", err)
		}
		t.end(t.begin(held), webhook.Done)
		if _, err := t.in.Begin(t.Context(), held); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin of a settled claim returned %v", err)
		}
	}},
	{"what was settled is suspect no more", func(t *trial) {
		whole := t.whole()
		t.settle(t.begin(t.suspect()), webhook.Outcome{State: webhook.Waiting})
		c := t.claimFor(short)
		if c.Suspect || c.Crashes != 0 || c.Attempt != 4 {
			t.Errorf("suspect %t, %d crashes, attempt %d; want the fourth attempt of one that is not suspect", c.Suspect, c.Crashes, c.Attempt)
		}
		t.same(c.Delivery, whole)
		if c := t.claim(); c.Suspect {
			t.Errorf("suspect again after one lost claim")
		}
	}},
	{"a suspect that is put back before it begins stays one", func(t *trial) {
		t.put("")
		t.begin(t.suspect())
		t.release(t.suspect())
		if c := t.claim(); !c.Suspect || c.Crashes != 1 || c.Attempt != 4 {
			t.Errorf("suspect %t, %d crashes, attempt %d; want suspect, 1 and 4", c.Suspect, c.Crashes, c.Attempt)
		}
	}},
	{"a suspect that is put back uncounted after it began is one no more", func(t *trial) {
		t.put("")
		t.release(t.begin(t.suspect()))
		if c := t.claim(); c.Suspect || c.Attempt != 3 {
			t.Errorf("suspect %t, attempt %d; want the third attempt of one that is not suspect", c.Suspect, c.Attempt)
		}
	}},
	{"a suspect may be settled before it begins", func(t *trial) {
		t.put("")
		t.end(t.suspect(), webhook.Dead)
		t.pass(2 * short)
		t.nothing("it is dead")
	}},
	{"extending keeps the lease of a suspect", func(t *trial) {
		t.put("")
		c := t.suspect()
		if err := t.in.Extend(t.Context(), c, long); err != nil {
			t.Fatalf("Extend: %v", err)
		}
		t.pass(2 * short)
		t.nothing("its lease was extended")
		t.end(t.begin(c), webhook.Done)
	}},
}

// whole stores a delivery with all that a suspect comes without.
func (t *trial) whole() *webhook.Delivery {
	t.Helper()
	d := t.delivery("", "mark")
	d.ID, d.Body = "whole", []byte("the whole body")
	d.Header = http.Header{"X-Name": {"value"}}
	return t.store(d)
}
