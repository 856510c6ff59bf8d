package inboxtest

import (
	"maps"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// overviews: what Overview counts.
var overviews = []law{
	{"an Overview counts deliveries by state", func(t *trial) {
		if o := t.overview(plenty); len(o.Count) != 0 {
			t.Errorf("an empty inbox: %v", o.Count)
		}
		t.finished("", webhook.Done)
		t.finished("", webhook.Ignored)
		t.finished("", webhook.Dead)
		t.finished("", webhook.Dead)
		t.put("key")
		t.claim()
		t.put("key")
		t.put("")
		want := map[webhook.State]webhook.Count{
			webhook.Done: {N: 1}, webhook.Ignored: {N: 1}, webhook.Dead: {N: 2}, webhook.Claimed: {N: 1}, webhook.Blocked: {N: 1}, webhook.Waiting: {N: 1},
		}
		if got := t.overview(plenty).Count; !maps.Equal(got, want) {
			t.Errorf("counted %v, want %v", got, want)
		}
	}},
	{"an Overview counts a state up to the limit and says when there are more", func(t *trial) {
		for range 3 {
			t.finished("", webhook.Dead)
			t.put("")
			t.claim()
		}
		for range 2 {
			t.put("")
		}
		want := map[webhook.State]webhook.Count{webhook.Dead: {N: 2, More: true}, webhook.Claimed: {N: 2, More: true}, webhook.Waiting: {N: 2}}
		if got := t.overview(2).Count; !maps.Equal(got, want) {
			t.Errorf("counted %v, want %v", got, want)
		}
	}},
	{"an Overview never says that it has counted all of a state when it has not", func(t *trial) {
		for range 2 {
			t.finished("", webhook.Done)
			t.finished("", webhook.Ignored)
		}
		for _, s := range []webhook.State{webhook.Done, webhook.Ignored} {
			if c := t.overview(3).Count[s]; c.N != 2 && !c.More {
				t.Errorf("of %s it counted %+v, want 2, or more", s, c)
			}
		}
	}},
	{"an Overview has the oldest and the pauses of Stats", func(t *trial) {
		t.typed("alpha.one", "key")
		t.typed("alpha.one", "key")
		t.pause("alpha.one")
		t.advance(4 * short)
		o := t.overview(plenty)
		if age := o.Oldest["alpha.one"]; len(o.Oldest) != 1 || age < 3*short || age > waitLimit {
			t.Errorf("oldest %v, want one of about %v", o.Oldest, 4*short)
		}
		if len(o.Paused) != 1 || o.Paused[0].Type != "alpha.one" || o.Paused[0].Note != someone || o.Paused[0].At.IsZero() || o.Paused[0].Blocked != 0 {
			t.Errorf("paused %+v, want alpha.one by %+v, and nothing counted", o.Paused, someone)
		}
	}},
	{"an Overview has the unhandled types of Stats", func(t *trial) {
		if !t.fake {
			return
		}
		t.typed("alpha.one", "")
		t.advance(2 * time.Minute)
		if got := t.overview(plenty).Unhandled; len(got) != 1 || got[0] != "alpha.one" {
			t.Errorf("%v, want alpha.one", got)
		}
	}},
	{"an Overview without a limit, or in a context that has ended, is an error", func(t *trial) {
		t.put("")
		if o, err := t.admin().Overview(t.Context(), 0); err == nil {
			t.Errorf("limit 0: no error, and %+v", o)
		}
		if _, err := t.admin().Overview(t.canceled(), plenty); err == nil {
			t.Errorf("a context that has ended: no error")
		}
	}},
}

func (t *trial) overview(limit int) webhook.Overview {
	t.Helper()
	o, err := t.admin().Overview(t.Context(), limit)
	if err != nil {
		t.Fatalf("Overview: %v", err)
	}
	return o
}
