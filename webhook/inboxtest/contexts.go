package inboxtest

import (
	"context"
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// contexts are the laws of calls whose context is canceled: they do nothing.
var contexts = []law{
	{"Put with a canceled context stores nothing", func(t *trial) {
		if err := t.in.Put(t.canceled(), t.delivery("")); err == nil {
			t.Errorf("Put returned no error")
		}
		t.requireNoClaim("the context of its Put was canceled")
	}},
	{"Claim with a canceled context claims nothing", func(t *trial) {
		t.put("")
		if claims, err := t.in.Claim(t.canceled(), webhook.ClaimOptions{N: 1, Lease: long}); err == nil || len(claims) > 0 {
			t.Errorf("Claim returned %d claims and error %v", len(claims), err)
		}
		if c := t.claim(); c.Attempt != 1 {
			t.Errorf("attempt %d after it, want 1", c.Attempt)
		}
	}},
	{"Settle with a canceled context settles nothing", func(t *trial) {
		t.put("")
		c := t.claim()
		_, err := t.in.Settle(t.canceled(), c, webhook.Outcome{State: webhook.Done})
		if err == nil || errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle returned %v, want the context's error", err)
		}
		t.end(c, webhook.Done)
	}},
	{"Begin with a canceled context begins nothing", func(t *trial) {
		t.put("")
		c := t.suspect()
		if _, err := t.in.Begin(t.canceled(), c); err == nil || errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin returned %v, want the context's error", err)
		}
		if c := t.suspect(); c.Attempt != 3 || c.Crashes != 0 {
			t.Errorf("attempt %d, %d crashes after it, want 3 and 0", c.Attempt, c.Crashes)
		}
	}},
	{"Extend with a canceled context fails", func(t *trial) {
		t.put("")
		c := t.claim()
		err := t.in.Extend(t.canceled(), c, long)
		if err == nil || errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend returned %v, want the context's error", err)
		}
	}},
}

// canceled returns a canceled context.
func (t *trial) canceled() context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
