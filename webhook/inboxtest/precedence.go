package inboxtest

import (
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// precedence: live deliveries and replayed ones, and the rate of a replay.
var precedence = []law{
	{"a live delivery is claimed before a replayed one", func(t *trial) {
		replayed := t.replayed("")
		live := t.put("")
		if got := uids(t.claimAll()); len(got) != 2 || got[0] != live.UID || got[1] != replayed.UID {
			t.Errorf("claimed %v, want %s and then %s", got, live.UID, replayed.UID)
		}
	}},
	{"a replayed delivery is claimed if no live one is due", func(t *trial) {
		d := t.put("")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long})
		t.claimOf(t.replayed(""))
	}},
	{"live deliveries of types that are not asked for hold back no replayed one", func(t *trial) {
		replayed := t.replayed("")
		t.typed("alpha.other", "")
		claims := t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long, Types: []string{someType}})
		if len(claims) != 1 || claims[0].Delivery.UID != replayed.UID {
			t.Errorf("claimed %v, want %s", uids(claims), replayed.UID)
		}
	}},
	{"a live delivery waits for the replayed one before it in its ordering key", func(t *trial) {
		replayed := t.replayed("key")
		younger, other := t.put("key"), t.put("other")
		for _, d := range []*webhook.Delivery{other, replayed, younger} {
			t.end(t.claimOf(d), webhook.Done)
		}
	}},
	{"a retry of a replayed delivery stands behind live ones", func(t *trial) {
		replayed := t.replayed("")
		t.settle(t.claimOf(replayed), webhook.Outcome{State: webhook.Waiting})
		t.claimOf(t.put(""))
		t.claimOf(replayed)
	}},
	{"a lost claim of a replayed delivery stands behind live ones", func(t *trial) {
		replayed := t.replayed("")
		t.claimFor(short)
		live := t.put("")
		t.advance(2 * short)
		t.claimOf(live)
		t.claimOf(replayed)
	}},
	{"a replay that a redelivery makes run again is live", func(t *trial) {
		d := t.delivery("", "another dedup key")
		d.ID = "id"
		t.store(d)
		t.end(t.claimOf(d), webhook.Dead)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		t.end(t.claimOf(d), webhook.Dead)
		t.replayed("")
		t.duplicate(t.redelivery(d))
		t.claimOf(d)
	}},
	{"a released replay is live", func(t *trial) {
		first := t.replayed("")
		waiting, claimed := t.replayed(""), t.replayed("")
		t.releaseNow(waiting)
		t.claimOf(waiting)
		t.end(t.claimOf(first), webhook.Done)
		t.claimOf(claimed)
		first = t.replayed("")
		t.releaseNow(claimed)
		t.claimOf(claimed)
		t.claimOf(first)
	}},
	{"a Record says whether the run is a replay", func(t *trial) {
		live, replayed := t.put(""), t.replayed("key")
		t.put("key")
		for _, r := range t.listAll(webhook.Filter{}) {
			if want := r.Delivery.UID == replayed.UID; r.Replayed != want || t.get(r.Delivery).Replayed != want {
				t.Errorf("%s: Replayed is %t, want %t", r.Delivery.UID, r.Replayed, want)
			}
		}
		t.claimOf(live)
	}},
	{"ReplayEvery makes deliveries due one after the other", func(t *trial) {
		var dead []*webhook.Delivery
		for range 5 {
			dead = append(dead, t.finished("", webhook.Dead))
		}
		t.replayEvery(webhook.Filter{States: []webhook.State{webhook.Dead}}, long, len(dead))
		var due []time.Time
		for _, r := range slices.Backward(t.listAll(webhook.Filter{})) {
			due = append(due, r.Due)
		}
		if !near(due[0], time.Now()) {
			t.Errorf("the first is due at %v, want now", due[0])
		}
		for i := range due[1:] {
			if pause := due[i+1].Sub(due[i]); pause < long || pause > long+waitLimit {
				t.Errorf("number %d is due %v after the one before, want %v", i+2, pause, long)
			}
		}
		t.claimOf(dead[0])
		t.requireNoClaim("the next one is not due")
	}},
	{"ReplayEvery with zero is Replay", func(t *trial) {
		for range 3 {
			t.finished("", webhook.Ignored)
		}
		t.replayEvery(webhook.Filter{States: []webhook.State{webhook.Ignored}}, 0, 3)
		if got := len(t.claimAll()); got != 3 {
			t.Errorf("claimed %d of 3", got)
		}
	}},
	{"deliveries of one ordering key that are replayed at a rate run in order", func(t *trial) {
		first, second := t.finished("key", webhook.Dead), t.finished("key", webhook.Dead)
		t.replayEvery(webhook.Filter{States: []webhook.State{webhook.Dead}}, 4*short, 2)
		live := t.put("key")
		t.end(t.claimOf(first), webhook.Done)
		begin := time.Now()
		due := t.get(second).Due
		t.end(t.claimOf(second), webhook.Done)
		if now := time.Now(); t.fake && now.Before(due) {
			t.Errorf("it ran at %v, %v after the first, and is due at %v", now, now.Sub(begin), due)
		}
		t.claimOf(live)
	}},
	{"a replay at a rate below zero or above an hour is refused", func(t *trial) {
		d := t.finished("", webhook.Dead)
		for _, every := range []time.Duration{-1, time.Hour + 1} {
			if n, err := t.admin().ReplayEvery(t.Context(), webhook.Filter{UID: d.UID}, someone, every); err == nil || n != 0 {
				t.Errorf("ReplayEvery with %v returned %d, %v", every, n, err)
			}
		}
		t.requireNoClaim("its replay was refused")
	}},
	{"a replay at a rate needs By and a Filter that does not select all", func(t *trial) {
		d := t.finished("", webhook.Dead)
		if n, err := t.admin().ReplayEvery(t.Context(), webhook.Filter{}, someone, short); err == nil || n != 0 {
			t.Errorf("ReplayEvery of all returned %d, %v", n, err)
		}
		if n, err := t.admin().ReplayEvery(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{}, short); err == nil || n != 0 {
			t.Errorf("ReplayEvery without By returned %d, %v", n, err)
		}
		t.requireNoClaim("its replay was refused")
	}},
}

// replayed stores a delivery of an ordering key, ends it and replays it.
func (t *trial) replayed(key string) *webhook.Delivery {
	t.Helper()
	d := t.delivery(key)
	d.Type = someType
	t.store(d)
	for _, c := range t.claimAll() {
		if c.Delivery.UID == d.UID {
			t.end(c, webhook.Dead)
			continue
		}
		t.release(c)
	}
	t.replay(webhook.Filter{UID: d.UID}, 1)
	return d
}

// replayEvery calls ReplayEvery, which must make want deliveries run again.
func (t *trial) replayEvery(f webhook.Filter, every time.Duration, want int) {
	t.Helper()
	if n, err := t.admin().ReplayEvery(t.Context(), f, someone, every); err != nil || n != want {
		t.Fatalf("ReplayEvery returned %d, %v, want %d", n, err, want)
	}
}
