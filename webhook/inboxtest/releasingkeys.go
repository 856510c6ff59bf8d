package inboxtest

import (
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// releasingKeys: what ReleaseKey does.
var releasingKeys = []law{
	{"ReleaseKey makes the next delivery of the ordering key due now, and the others follow in order", func(t *trial) {
		first, second := t.postponed("key"), t.put("key")
		t.requireNoClaim("the ordering key waits")
		t.releaseKey("key")
		t.end(t.claimOf(first), webhook.Done)
		t.claimOf(second)
	}},
	{"ReleaseKey leaves other ordering keys as they are", func(t *trial) {
		t.postponed("other")
		elsewhere := t.delivery("key")
		elsewhere.Source = "beta"
		t.store(elsewhere)
		t.settle(t.claimOf(elsewhere), webhook.Outcome{State: webhook.Waiting, Delay: long})
		d := t.postponed("key")
		t.releaseKey("key")
		if got := t.claimAll(); len(got) != 1 || got[0].Delivery.UID != d.UID {
			t.Errorf("claimed %v, want only %s", uids(got), d.UID)
		}
	}},
	{"ReleaseKey of an ordering key that is due keeps its place among others", func(t *trial) {
		first, second := t.put("key"), t.put("other")
		t.advance(short)
		t.releaseKey("key")
		t.claimOf(first)
		t.claimOf(second)
	}},
	{"ReleaseKey makes a replayed delivery live", func(t *trial) {
		d := t.finished("key", webhook.Dead)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		t.releaseKey("key")
		if t.get(d).Replayed {
			t.Errorf("it is still a replay")
		}
		t.claimOf(d)
	}},
	{"ReleaseKey of an ordering key whose next delivery is claimed is ErrState and leaves the claim", func(t *trial) {
		d := t.put("key")
		c := t.claimOf(d)
		t.requireNoKeyRelease(someSource, "key", webhook.ErrState)
		t.end(c, webhook.Done)
	}},
	{"ReleaseKey of an ordering key without unfinished deliveries is ErrNotFound", func(t *trial) {
		t.finished("key", webhook.Done)
		t.put("")
		t.requireNoKeyRelease(someSource, "key", webhook.ErrNotFound)
		t.requireNoKeyRelease("beta", "key", webhook.ErrNotFound)
	}},
	{"ReleaseKey of an empty ordering key is refused", func(t *trial) {
		t.postponed("")
		if err := t.admin().ReleaseKey(t.Context(), someSource, ""); err == nil {
			t.Errorf("ReleaseKey returned no error")
		}
		t.requireNoClaim("it is postponed")
	}},
	{"a context that has ended releases no ordering key", func(t *trial) {
		t.postponed("key")
		if err := t.admin().ReleaseKey(t.canceled(), someSource, "key"); err == nil || errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("ReleaseKey returned %v, want the context's error", err)
		}
		t.requireNoClaim("it is postponed")
	}},
	{"ReleaseKey closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			t.postponed("key")
			changed := n.Changed()
			t.releaseKey("key")
			t.requireChanged(changed)
		}
	}},
}

// postponed stores a delivery of an ordering key and puts its claim back for long.
func (t *trial) postponed(key string) *webhook.Delivery {
	t.Helper()
	d := t.put(key)
	t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long, Uncounted: true})
	return d
}

// releaseKey calls ReleaseKey, which must succeed.
func (t *trial) releaseKey(key string) {
	t.Helper()
	if err := t.admin().ReleaseKey(t.Context(), someSource, key); err != nil {
		t.Fatalf("ReleaseKey of %s: %v", key, err)
	}
}

// requireNoKeyRelease requires that ReleaseKey fails with the error.
func (t *trial) requireNoKeyRelease(source, key string, want error) {
	t.Helper()
	if err := t.admin().ReleaseKey(t.Context(), source, key); !errors.Is(err, want) {
		t.Errorf("ReleaseKey returned %v, want %v", err, want)
	}
}
