package inboxtest

import (
	"context"
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// contexts: what is called with a context that has ended does nothing.
var contexts = []law{
	{"a context that has ended stores nothing", func(t *trial) {
		if err := t.in.Put(t.ended(), t.delivery("")); err == nil {
			t.Errorf("Put returned no error")
		}
		t.nothing("its Put was over")
	}},
	{"a context that has ended claims nothing", func(t *trial) {
		t.put("")
		if claims, err := t.in.Claim(t.ended(), webhook.ClaimOptions{N: 1, Lease: long}); err == nil || len(claims) > 0 {
			t.Errorf("Claim returned %d claims and error %v", len(claims), err)
		}
		if c := t.claim(); c.Attempt != 1 {
			t.Errorf("attempt %d afterwards, want 1", c.Attempt)
		}
	}},
	{"a context that has ended settles nothing", func(t *trial) {
		t.put("")
		c := t.claim()
		_, err := t.in.Settle(t.ended(), c, webhook.Outcome{State: webhook.Done})
		if err == nil || errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle returned %v, want the context's error", err)
		}
		t.end(c, webhook.Done)
	}},
	{"a context that has ended begins nothing", func(t *trial) {
		t.put("")
		c := t.suspect()
		if _, err := t.in.Begin(t.ended(), c); err == nil || errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Begin returned %v, want the context's error", err)
		}
		if c := t.suspect(); c.Attempt != 3 || c.Crashes != 0 {
			t.Errorf("attempt %d, %d crashes afterwards, want 3 and none", c.Attempt, c.Crashes)
		}
	}},
	{"a context that has ended extends nothing", func(t *trial) {
		t.put("")
		c := t.claim()
		err := t.in.Extend(t.ended(), c, long)
		if err == nil || errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Extend returned %v, want the context's error", err)
		}
	}},
}

func (t *trial) ended() context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
