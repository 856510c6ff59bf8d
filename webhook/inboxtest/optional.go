package inboxtest

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// notifying: the laws of a [webhook.Notifier], nothing for others.
var notifying = []law{
	{"a put is told", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			changed := n.Changed()
			t.put("")
			t.told(changed)
		}
	}},
	{"a settlement that frees a key is told", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			t.put("key")
			t.put("key")
			c := t.claim()
			changed := n.Changed()
			t.end(c, webhook.Done)
			t.told(changed)
		}
	}},
	{"a release is told", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			t.put("")
			c := t.claim()
			changed := n.Changed()
			t.release(c)
			t.told(changed)
		}
	}},
}

func (t *trial) told(changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(patience):
		t.Errorf("the channel of Changed was not closed")
	}
}

// counting: the law of a [webhook.PendingCounter], nothing for others.
var counting = []law{
	{"what is waiting, blocked or claimed is pending", func(t *trial) {
		p, ok := t.in.(webhook.PendingCounter)
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
			t.Errorf("Pending at most 1 of 3: %d, %v", n, err)
		}
	}},
}

func (t *trial) pending(p webhook.PendingCounter, want int) {
	t.Helper()
	if n, err := p.Pending(t.Context(), plenty); err != nil || n != want {
		t.Errorf("Pending: %d, %v, want %d", n, err, want)
	}
}
