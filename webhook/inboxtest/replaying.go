package inboxtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// replaying: what Replay does.
var replaying = []law{
	{"what is replayed runs oldest first", func(t *trial) {
		var want []string
		for n := range 90 {
			want = append(want, t.finished(fmt.Sprint("key", n%3), webhook.Dead).UID)
		}
		t.replays(webhook.Filter{States: []webhook.State{webhook.Dead}}, len(want))
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
	{"what is replayed runs after the unfinished ones of its key", func(t *trial) {
		replayed := t.finished("key", webhook.Dead)
		waiting, blocked := t.put("key"), t.put("key")
		t.replays(webhook.Filter{UID: replayed.UID}, 1)
		for _, d := range []*webhook.Delivery{waiting, blocked, replayed} {
			t.end(t.claimOf(d), webhook.Done)
		}
	}},
	{"what is replayed has a new Seq", func(t *trial) {
		older := t.finished("", webhook.Done)
		newer := t.finished("", webhook.Done)
		t.replays(webhook.Filter{UID: older.UID}, 1)
		t.lists(webhook.Filter{}, older, newer)
	}},
	{"a replay counts attempts from zero and keeps the fence", func(t *trial) {
		d := t.put("")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting})
		before := t.claimOf(d)
		t.end(before, webhook.Dead)
		t.replays(webhook.Filter{UID: d.UID}, 1)
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
		t.replays(webhook.Filter{UID: d.UID}, 1)
		if s := t.state(d); s != webhook.Waiting {
			t.Errorf("its dedup key says that it is %s, want waiting", s)
		}
		t.claimOf(d)
	}},
	{"whatever is finished can be replayed", func(t *trial) {
		old := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(t.store(t.burst("key", short, 0))), webhook.Done)
		for _, d := range []*webhook.Delivery{old, t.finished("", webhook.Done), t.finished("", webhook.Dead), t.finished("", webhook.Ignored)} {
			t.replays(webhook.Filter{UID: d.UID}, 1)
			t.end(t.claimOf(d), webhook.Done)
		}
	}},
	{"a replay skips what is not finished", func(t *trial) {
		dead := t.finished("", webhook.Dead)
		waiting := t.put("key")
		claimed := t.claimOf(waiting)
		t.put("key")
		t.replays(webhook.Filter{Source: someSource}, 1)
		if r := t.get(waiting); r.State != webhook.Claimed || r.Fence != claimed.Fence {
			t.Errorf("the claim is %s", r.State)
		}
		t.claimOf(dead)
	}},
	{"a replay skips what a younger one of its burst took the place of", func(t *trial) {
		older := t.store(t.burst("key", short, 0))
		t.end(t.claimOf(older), webhook.Dead)
		newer := t.store(t.burst("key", short, 0))
		t.replays(webhook.Filter{States: []webhook.State{webhook.Dead}}, 0)
		t.replaysNothing(older, webhook.ErrState)
		c := t.claimOf(newer)
		t.replaysNothing(older, webhook.ErrState)
		t.end(c, webhook.Done)
		t.replays(webhook.Filter{UID: older.UID}, 1)
		t.claimOf(older)
	}},
	{"a replayed burst runs its newest only", func(t *trial) {
		var burst []*webhook.Delivery
		for range 2 {
			d := t.store(t.burst("key", short, 0))
			t.end(t.claimOf(d), webhook.Dead)
			burst = append(burst, d)
		}
		t.replays(webhook.Filter{OrderingKey: "key"}, 2)
		t.claimOf(burst[1])
		if s := t.get(burst[0]).State; s != webhook.Superseded {
			t.Errorf("the older one is %s, want superseded", s)
		}
	}},
	{"a replay with a Limit takes the newest that are finished", func(t *trial) {
		t.finished("", webhook.Dead)
		second, third := t.finished("", webhook.Dead), t.finished("", webhook.Dead)
		t.put("other")
		t.replays(webhook.Filter{Source: someSource, Limit: 2}, 2)
		var waiting []string
		for _, c := range t.all() {
			waiting = append(waiting, c.Delivery.UID)
		}
		if !slices.Contains(waiting, second.UID) || !slices.Contains(waiting, third.UID) || len(waiting) != 3 {
			t.Errorf("claimed %v, want the one that was put and the newest two", waiting)
		}
	}},
	{"a replay of an unknown UID is ErrNotFound", func(t *trial) {
		t.put("")
		t.replaysNothing(t.delivery(""), webhook.ErrNotFound)
	}},
	{"a replay of one that is not finished is ErrState", func(t *trial) {
		d := t.put("")
		t.replaysNothing(d, webhook.ErrState)
		t.claimOf(d)
		t.replaysNothing(d, webhook.ErrState)
	}},
	{"a replay says who, why, when and what was before", func(t *trial) {
		d := t.finished("", webhook.Dead)
		begin := time.Now()
		for _, n := range []webhook.Note{{By: "ann", Why: "fixed"}, {By: "bob"}} {
			if _, err := t.admin().Replay(t.Context(), webhook.Filter{UID: d.UID}, n); err != nil {
				t.Fatalf("Replay: %v", err)
			}
			t.end(t.claimOf(d), webhook.Done)
			t.pass(step)
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
	{"a replay by nobody is refused", func(t *trial) {
		d := t.finished("", webhook.Dead)
		if n, err := t.admin().Replay(t.Context(), webhook.Filter{UID: d.UID}, webhook.Note{Why: "no name"}); err == nil || n != 0 {
			t.Errorf("Replay returned %d, %v", n, err)
		}
		t.nothing("its replay was refused")
	}},
	{"a replay of all there is is refused", func(t *trial) {
		t.finished("", webhook.Dead)
		for _, f := range []webhook.Filter{{}, {Limit: 10, Bodies: true}} {
			if n, err := t.admin().Replay(t.Context(), f, someone); err == nil || n != 0 {
				t.Errorf("Replay of %+v returned %d, %v", f, n, err)
			}
		}
		t.nothing("its replay was refused")
	}},
	{"a context that has ended replays nothing", func(t *trial) {
		d := t.finished("", webhook.Dead)
		if n, err := t.admin().Replay(t.ended(), webhook.Filter{UID: d.UID}, someone); err == nil || n != 0 {
			t.Errorf("Replay returned %d, %v", n, err)
		}
		t.nothing("its replay was over")
	}},
	{"a replay closes the channel of Changed", func(t *trial) {
		if n, ok := t.in.(webhook.Notifier); ok {
			d := t.finished("", webhook.Dead)
			changed := n.Changed()
			t.replays(webhook.Filter{UID: d.UID}, 1)
			t.told(changed)
		}
	}},
}
