package inboxtest

import (
	"maps"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// stats: what Stats counts.
var stats = []law{
	{"Stats of an empty inbox are empty", func(t *trial) {
		if st := t.stats(); len(st.Count) != 0 || len(st.Types) != 0 || len(st.Oldest) != 0 || len(st.Unhandled) != 0 || len(st.Paused) != 0 {
			t.Errorf("%+v", st)
		}
	}},
	{"Stats count deliveries by state", func(t *trial) {
		t.finished("", webhook.Done)
		t.finished("", webhook.Dead)
		t.finished("", webhook.Dead)
		t.put("key")
		t.claim()
		t.put("key")
		t.put("")
		want := map[webhook.State]int{webhook.Done: 1, webhook.Dead: 2, webhook.Claimed: 1, webhook.Blocked: 1, webhook.Waiting: 1}
		if got := t.stats().Count; !maps.Equal(got, want) {
			t.Errorf("counted %v, want %v", got, want)
		}
	}},
	{"Stats count the deliveries of each type by state", func(t *trial) {
		t.typed("alpha.one", "key")
		t.typed("alpha.one", "key")
		t.typed("alpha.two", "")
		got := t.stats().Types
		if len(got) != 2 || !maps.Equal(got["alpha.one"], map[webhook.State]int{webhook.Waiting: 1, webhook.Blocked: 1}) ||
			!maps.Equal(got["alpha.two"], map[webhook.State]int{webhook.Waiting: 1}) {
			t.Errorf("counted %v", got)
		}
	}},
	{"Oldest counts from the time at which a waiting delivery was due", func(t *trial) {
		t.typed("alpha.one", "")
		t.advance(4 * short)
		t.typed("alpha.one", "")
		if age := t.stats().Oldest["alpha.one"]; age < 3*short || age > waitLimit {
			t.Errorf("%v, want about %v", age, 4*short)
		}
	}},
	{"Oldest counts from the end of a lease that ran out", func(t *trial) {
		t.typed("alpha.one", "")
		t.claimFor(4 * short)
		t.advance(8 * short)
		if age := t.stats().Oldest["alpha.one"]; age < 3*short || !t.fake && age > waitLimit || t.fake && age > 5*short {
			t.Errorf("%v, want about %v", age, 4*short)
		}
	}},
	{"Oldest has no types without a delivery to claim", func(t *trial) {
		t.typed("alpha.claimed", "")
		t.claim()
		d := t.typed("alpha.retried", "")
		t.settle(t.claimOf(d), webhook.Outcome{State: webhook.Waiting, Delay: long})
		t.end(t.claimOf(t.typed("alpha.done", "")), webhook.Done)
		if oldest := t.stats().Oldest; len(oldest) != 0 {
			t.Errorf("%v, want none", oldest)
		}
	}},
	{"Oldest counts while the type is paused", func(t *trial) {
		t.typed("alpha.one", "")
		t.pause("alpha.one")
		t.advance(4 * short)
		if age := t.stats().Oldest["alpha.one"]; age < 3*short || age > waitLimit {
			t.Errorf("%v, want about %v", age, 4*short)
		}
	}},
	{"Unhandled has the types that no Claim asked for in a minute", func(t *trial) {
		if !t.fake {
			return
		}
		for _, typ := range []string{"beta.one", "alpha.two", "alpha.asked", "alpha.one"} {
			t.typed(typ, "")
		}
		t.claimNow(webhook.ClaimOptions{N: 1, Types: []string{"alpha.asked"}})
		t.typed("alpha.asked", "")
		t.advance(time.Minute - short)
		if got := t.stats().Unhandled; len(got) != 0 {
			t.Errorf("%v before a minute has passed", got)
		}
		t.advance(2 * short)
		if got := t.stats().Unhandled; !slices.Equal(got, []string{"alpha.one", "alpha.two", "beta.one"}) {
			t.Errorf("%v, want those of which no Claim asked, sorted", got)
		}
		t.claimNow(webhook.ClaimOptions{N: 1})
		if got := t.stats().Unhandled; len(got) != 0 {
			t.Errorf("%v after a Claim asked for any type", got)
		}
	}},
	{"a context that has ended counts nothing", func(t *trial) {
		t.put("")
		if _, err := t.admin().Stats(t.canceled()); err == nil {
			t.Errorf("Stats returned no error")
		}
	}},
}

func (t *trial) stats() webhook.Stats {
	t.Helper()
	st, err := t.admin().Stats(t.Context())
	if err != nil {
		t.Fatalf("Stats: %v", err)
	}
	return st
}

// typed stores a delivery of a type.
func (t *trial) typed(typ, key string) *webhook.Delivery {
	t.Helper()
	d := t.delivery(key)
	d.Type = typ
	return t.store(d)
}
