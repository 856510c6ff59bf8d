package inboxtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// replaying: what Replay does.
var replaying = []law{
	{"replayed deliveries run oldest first", func(t *trial) {
		var want []string
		for n := range 90 {
			want = append(want, t.finished(fmt.Sprint("key", n%3), webhook.Dead).UID)
		}
		t.replay(webhook.Filter{States: []webhook.State{webhook.Dead}}, len(want))
		var got []string
		for range want {
			c := t.claim()
			got = append(got, c.Delivery.UID)
			t.end(c, webhook.Done)
		}
		if !slices.Equal(got, want) {
			t.Errorf("ran %v, want %v", got, want)
		}
	}},
	{"a replayed delivery runs after the unfinished ones of its ordering key", func(t *trial) {
		replayed := t.finished("key", webhook.Dead)
		waiting, blocked := t.put("key"), t.put("key")
		t.replay(webhook.Filter{UID: replayed.UID}, 1)
		for _, d := range []*webhook.Delivery{waiting, blocked, replayed} {
			t.end(t.claimOf(d), webhook.Done)
		}
	}},
	{"a replayed delivery has a new Seq", func(t *trial) {
		older := t.finished("", webhook.Done)
		newer := t.finished("", webhook.Done)
		t.replay(webhook.Filter{UID: older.UID}, 1)
		t.requireList(webhook.Filter{}, older, newer)
	}},
	{"a replay counts attempts from zero and keeps the fence", func(t *trial) {
		d := t.put("")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting})
		before := t.claimOf(d)
		t.end(before, webhook.Dead)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		if r := t.get(d); r.Attempt != 0 || !r.Ended.IsZero() {
			t.Errorf("attempt %d, ended %v; want none yet", r.Attempt, r.Ended)
		}
		if c := t.claimOf(d); c.Attempt != 1 || c.Fence <= before.Fence {
			t.Errorf("attempt %d, fence %d after %d", c.Attempt, c.Fence, before.Fence)
		}
	}},
	{"deduplication does not stop a replay", func(t *trial) {
		d := t.put("", "dedup key")
		t.end(t.claimOf(d), webhook.Done)
		t.replay(webhook.Filter{UID: d.UID}, 1)
		if s := t.state(d); s != webhook.Waiting {
			t.Errorf("its dedup key says that it is %s, want waiting", s)
		}
		t.claimOf(d)
	}},
	{"a delivery in any final state can be replayed", func(t *trial) {
		old := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(t.store(t.burst("key", short, 0))), webhook.Done)
		for _, d := range []*webhook.Delivery{old, t.finished("", webhook.Done), t.finished("", webhook.Dead), t.finished("", webhook.Ignored)} {
			t.replay(webhook.Filter{UID: d.UID}, 1)
			t.end(t.claimOf(d), webhook.Done)
		}
	}},
	{"a replay skips unfinished deliveries", func(t *trial) {
		dead := t.finished("", webhook.Dead)
		waiting := t.put("key")
		claimed := t.claimOf(waiting)
		t.put("key")
		t.replay(webhook.Filter{Source: someSource}, 1)
		if r := t.get(waiting); r.State != webhook.Claimed || r.Fence != claimed.Fence {
			t.Errorf("the claim is %s", r.State)
		}
		t.claimOf(dead)
	}},
	{"a replay skips one of a burst while a younger one is unfinished", func(t *trial) {
		older := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(older), webhook.Dead)
		newer := t.store(t.burst("key", short, 0))
		t.replay(webhook.Filter{States: []webhook.State{webhook.Dead}}, 0)
		t.requireNoReplay(older, webhook.ErrState)
		c := t.claimOf(newer)
		t.requireNoReplay(older, webhook.ErrState)
		t.end(c, webhook.Done)
		t.replay(webhook.Filter{UID: older.UID}, 1)
		t.claimOf(older)
	}},
	{"only the newest delivery of a replayed burst runs", func(t *trial) {
		var burst []*webhook.Delivery
		for range 2 {
			d := t.store(t.burst("key", short, 0))
			t.end(t.claimOf(d), webhook.Dead)
			burst = append(burst, d)
		}
		t.replay(webhook.Filter{OrderingKey: "key"}, 2)
		t.claimOf(burst[1])
		if s := t.get(burst[0]).State; s != webhook.Superseded {
			t.Errorf("the older one is %s, want superseded", s)
		}
	}},
	{"a replay with a Limit replays the newest finished deliveries", func(t *trial) {
		t.finished("", webhook.Dead)
		second, third := t.finished("", webhook.Dead), t.finished("", webhook.Dead)
		t.put("other")
		t.replay(webhook.Filter{Source: someSource, Limit: 2}, 2)
		var waiting []string
		for _, c := range t.claimAll() {
			waiting = append(waiting, c.Delivery.UID)
		}
		if !slices.Contains(waiting, second.UID) || !slices.Contains(waiting, third.UID) || len(waiting) != 3 {
			t.Errorf("claimed %v, want the one that was put and the newest two", waiting)
		}
	}},
	{"a replay of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		t.requireNoReplay(t.delivery(""), webhook.ErrNotFound)
	}},
	{"a replay of an unfinished delivery is ErrState", func(t *trial) {
		d := t.put("")
		t.requireNoReplay(d, webhook.ErrState)
		t.claimOf(d)
		t.requireNoReplay(d, webhook.ErrState)
	}},
	{"a replay is recorded with its Note, its time and the state before", func(t *trial) {
		d := t.finished("", webhook.Dead)
		begin := time.Now()
		for _, n := range []webhook.Note{{By: "ann", Why: "fixed"}, {By: "bob"}} {
			if _, err := t.admin().Replay(t.Context(), webhook.Filter{UID: d.UID}, n); err != nil {
				t.Fatalf("Replay: %v", err)
			}
			t.end(t.claimOf(d), webhook.Done)
			t.advance(checkInterval)
		}
		got := t.get(d).Replays
		if len(got) != 2 || got[0].Note != (webhook.Note{By: "ann", Why: "fixed"}) || got[0].Was != webhook.Dead ||
			got[1].Note != (webhook.Note{By: "bob"}) || got[1].Was != webhook.Done {
			t.Fatalf("replays are %+v", got)
		}
		if !near(got[0].At, begin) || got[1].At.Before(got[0].At) {
			t.Errorf("replayed at %v and %v, want after %v", got[0].At, got[1].At, begin)
		}
	}},
	{"a replay without By is refused", func(t *trial) {
		d := t.finished("", webhook.Dead)
		if n, err := t.admin().Replay(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{Why: "no name"}); err == nil || n != 0 {
			t.Errorf("Replay returned %d, %v", n, err)
		}
		t.requireNoClaim("its replay was refused")
	}},
	{"a replay with a Filter that selects all is refused", func(t *trial) {
		t.finished("", webhook.Dead)
		for _, f := range []webhook.Filter{{}, {Limit: 10, Bodies: true}} {
			if n, err := t.admin().Replay(t.Context(), f, someone); err == nil || n != 0 {
				t.Errorf("Replay of %+v returned %d, %v", f, n, err)
			}
		}
		t.requireNoClaim("its replay was refused")
	}},
	{"a context that has ended replays nothing", func(t *trial) {
		d := t.finished("", webhook.Dead)
		if n, err := t.admin().Replay(t.canceled(), webhook.Filter{UID: d.UID}, someone); err == nil || n != 0 {
			t.Errorf("Replay returned %d, %v", n, err)
		}
		t.requireNoClaim("its replay was over")
	}},
	{"a replay closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			d := t.finished("", webhook.Dead)
			changed := n.Changed()
			t.replay(webhook.Filter{UID: d.UID}, 1)
			t.requireChanged(changed)
		}
	}},
}
