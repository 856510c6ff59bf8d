package inboxtest

import (
	"errors"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// pausing: what Pause and Resume do.
var pausing = []law{
	{"deliveries of a paused type are not claimed", func(t *trial) {
		t.typed("alpha.paused", "")
		other := t.typed("alpha.other", "")
		t.pause("alpha.paused")
		t.typed("alpha.paused", "")
		claims := t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, Types: []string{"alpha.paused", "alpha.other"}})
		if got := uids(claims); !slices.Equal(got, []string{other.UID}) {
			t.Errorf("claimed %v, want only %s", got, other.UID)
		}
		t.requireNoClaim("its type is paused")
	}},
	{"if all types are paused nothing is claimed", func(t *trial) {
		t.typed("alpha.one", "")
		t.pause("")
		t.typed("alpha.two", "")
		t.requireNoClaim("all types are paused")
		if got := t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, Types: []string{"alpha.one"}}); len(got) > 0 {
			t.Errorf("claimed %v with Types", uids(got))
		}
	}},
	{"deliveries of a resumed type are claimed", func(t *trial) {
		d := t.typed("alpha.paused", "")
		t.pause("alpha.paused")
		t.requireNoClaim("its type is paused")
		t.resume("alpha.paused")
		t.claimOf(d)
	}},
	{"pauses of a type and of all are independent", func(t *trial) {
		d := t.typed("alpha.paused", "")
		t.pause("alpha.paused")
		t.pause("")
		t.resume("")
		t.requireNoClaim("its type is paused")
		t.pause("")
		t.resume("alpha.paused")
		t.requireNoClaim("all types are paused")
		t.resume("")
		t.claimOf(d)
	}},
	{"a delivery of a paused type blocks its ordering key", func(t *trial) {
		paused := t.typed("alpha.paused", "key")
		blocked := t.typed("alpha.blocked", "key")
		t.typed("alpha.other", "free")
		t.pause("alpha.paused")
		if got := t.claimAll(); len(got) != 1 || got[0].Delivery.Type != "alpha.other" {
			t.Fatalf("claimed %v, want only the one of the other ordering key", uids(got))
		}
		t.resume("alpha.paused")
		t.end(t.claimOf(paused), webhook.Done)
		t.claimOf(blocked)
	}},
	{"a claim of a paused type can be extended and settled", func(t *trial) {
		first := t.typed("alpha.paused", "key")
		t.typed("alpha.paused", "key")
		c := t.claimOf(first)
		t.pause("alpha.paused")
		if err := t.in.Extend(t.Context(), c, long); err != nil {
			t.Errorf("Extend returned %v", err)
		}
		t.end(c, webhook.Done)
		t.requireNoClaim("its type is paused")
	}},
	{"a lost claim of a paused type is claimed again after Resume", func(t *trial) {
		d := t.typed("alpha.paused", "")
		t.claimFor(short)
		t.pause("alpha.paused")
		t.advance(2 * short)
		t.requireNoClaim("its type is paused")
		t.resume("alpha.paused")
		if c := t.claimOf(d); c.Attempt != 2 {
			t.Errorf("attempt %d, want 2", c.Attempt)
		}
	}},
	{"Stats have the pauses with their Notes and times, sorted by type", func(t *trial) {
		begin := time.Now()
		notes := map[string]webhook.Note{"beta.two": {By: "ann", Why: "the target is down"}, "alpha.one": {By: "bob"}, "": {By: "eve", Why: "a move"}}
		for _, typ := range []string{"beta.two", "alpha.one", ""} {
			if err := t.admin().Pause(t.Context(), typ, notes[typ]); err != nil {
				t.Fatalf("Pause: %v", err)
			}
		}
		paused := t.stats().Paused
		var types []string
		for _, p := range paused {
			types = append(types, p.Type)
			if p.Note != notes[p.Type] || !near(p.At, begin) {
				t.Errorf("%q is paused at %v with %+v", p.Type, p.At, p.Note)
			}
		}
		if !slices.Equal(types, []string{"", "alpha.one", "beta.two"}) {
			t.Errorf("the pauses are of %q", types)
		}
		t.resume("beta.two")
		if got := len(t.stats().Paused); got != 2 {
			t.Errorf("%d pauses after one was resumed", got)
		}
	}},
	{"Stats count what deliveries of a paused type block", func(t *trial) {
		t.typed("alpha.paused", "key")
		t.typed("alpha.paused", "key")
		t.typed("alpha.other", "key")
		t.typed("alpha.other", "other")
		t.typed("alpha.other", "other")
		t.pause("alpha.paused")
		t.pause("")
		got := t.stats().Paused
		if len(got) != 2 || got[0].Blocked != 3 || got[1].Blocked != 2 {
			t.Errorf("%+v, want 3 that are blocked at all, and 2 by the paused type", got)
		}
	}},
	{"what is paused cannot be paused again, and its Note remains", func(t *trial) {
		for _, typ := range []string{"", "alpha.paused"} {
			t.pause(typ)
			if err := t.admin().Pause(t.Context(), typ, webhook.Note{By: "bob"}); !errors.Is(err, webhook.ErrState) {
				t.Errorf("Pause of %q returned %v, want ErrState", typ, err)
			}
		}
		for _, p := range t.stats().Paused {
			if p.Note != someone {
				t.Errorf("the Note of %q is %+v, want the first", p.Type, p.Note)
			}
		}
	}},
	{"what is not paused cannot be resumed", func(t *trial) {
		t.requireNoResume("alpha.one")
		t.pause("")
		t.requireNoResume("alpha.one")
		t.resume("")
		t.requireNoResume("")
	}},
	{"a pause without By is refused", func(t *trial) {
		d := t.put("")
		if err := t.admin().Pause(t.Context(), "", webhook.Note{Why: "no name"}); err == nil {
			t.Errorf("Pause returned no error")
		}
		t.claimOf(d)
	}},
	{"a resumption without By is refused", func(t *trial) {
		t.put("")
		t.pause("")
		if err := t.admin().Resume(t.Context(), "", webhook.Note{Why: "no name"}); err == nil {
			t.Errorf("Resume returned no error")
		}
		t.requireNoClaim("all types are paused")
	}},
	{"a context that has ended pauses nothing", func(t *trial) {
		d := t.put("")
		if err := t.admin().Pause(t.canceled(), "", someone); err == nil {
			t.Errorf("Pause returned no error")
		}
		t.claimOf(d)
	}},
	{"a context that has ended resumes nothing", func(t *trial) {
		t.put("")
		t.pause("")
		if err := t.admin().Resume(t.canceled(), "", someone); err == nil || errors.Is(err, webhook.ErrState) {
			t.Errorf("Resume returned %v, want the context's error", err)
		}
		t.requireNoClaim("all types are paused")
	}},
	{"Resume closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			t.pause("")
			changed := n.Changed()
			t.resume("")
			t.requireChanged(changed)
		}
	}},
}

// pause calls Pause, which must succeed.
func (t *trial) pause(typ string) {
	t.Helper()
	if err := t.admin().Pause(t.Context(), typ, someone); err != nil {
		t.Fatalf("Pause of %q: %v", typ, err)
	}
}

// resume calls Resume, which must succeed.
func (t *trial) resume(typ string) {
	t.Helper()
	if err := t.admin().Resume(t.Context(), typ, someone); err != nil {
		t.Fatalf("Resume of %q: %v", typ, err)
	}
}

// requireNoResume requires that Resume fails.
func (t *trial) requireNoResume(typ string) {
	t.Helper()
	if err := t.admin().Resume(t.Context(), typ, someone); !errors.Is(err, webhook.ErrState) {
		t.Errorf("Resume of %q returned %v, want ErrState", typ, err)
	}
}
