package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// notifying are the laws of a [webhook.Notifier]. Every other Queue passes.
var notifying = []law{
	{"Put closes the channel of Changed", func(t *trial) {
		if n, ok := t.queue().(webhook.Notifier); ok {
			changed := n.Changed()
			t.put("")
			t.requireChanged(changed)
		}
	}},
	{"a Settle that unblocks an ordering key closes the channel of Changed", func(t *trial) {
		if n, ok := t.queue().(webhook.Notifier); ok {
			t.put("key")
			t.put("key")
			c := t.claim()
			changed := n.Changed()
			t.end(c, webhook.Done)
			t.requireChanged(changed)
		}
	}},
	{"a release closes the channel of Changed", func(t *trial) {
		if n, ok := t.queue().(webhook.Notifier); ok {
			t.put("")
			c := t.claim()
			changed := n.Changed()
			t.release(c)
			t.requireChanged(changed)
		}
	}},
}

// requireChanged requires that the channel is closed.
func (t *trial) requireChanged(changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(waitLimit):
		t.Errorf("the channel of Changed was not closed")
	}
}

// counting is the law of a [webhook.PendingCounter]. Every other Queue passes.
var counting = []law{
	{"Pending counts waiting, blocked and claimed deliveries", func(t *trial) {
		p, ok := t.queue().(webhook.PendingCounter)
		if !ok {
			return
		}
		t.pending(p, 0)
		t.put("")
		t.end(t.claim(), webhook.Done)
		t.put("key")
		t.claim()
		t.put("key")
		t.put("")
		t.pending(p, 3)
		if n, err := p.Pending(t.Context(), 1); err != nil || n < 1 {
			t.Errorf("Pending with limit 1: %d, %v, want 1 at least", n, err)
		}
	}},
}

// pending requires that Pending returns want.
func (t *trial) pending(p webhook.PendingCounter, want int) {
	t.Helper()
	if n, err := p.Pending(t.Context(), plenty); err != nil || n != want {
		t.Errorf("Pending: %d, %v, want %d", n, err, want)
	}
}
