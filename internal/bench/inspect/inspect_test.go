package inspect

import (
	"bytes"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/webhook"
)

// TestMain is also the process of the viewers.
func TestMain(m *testing.M) { envtest.Main(m, Commands) }

// tiny is a command that measures next to nothing.
var tiny = command{count: 1, rows: leastRows, pairs: 1, time: 300 * time.Millisecond, viewers: 10, rate: 100, idle: 200 * time.Millisecond}

func TestAllIsMeasured(t *testing.T) {
	var all []result
	for _, b := range env.Databases {
		if !envtest.Env.Has(b) {
			continue // env.New has printed it
		}
		r, err := tiny.measure(t.Context(), envtest.Env, b)
		if err != nil {
			t.Fatal(err) // also if a page is not that of its SELECT, or if viewers read nothing
		}
		for _, l := range r.lists {
			if l.found == 0 || l.calls == 0 || len(l.inspector) != 1 || len(l.bare) != 1 || len(l.unbounded) != 1 {
				t.Errorf("%s, %s: got %+v", b, l.name, l)
			}
		}
		if v := r.watched; v.updates == 0 || len(v.with.p50) != 1 || len(v.constant.p50) != 1 || len(v.without.p50) != 1 {
			t.Errorf("%s: got %+v", b, v)
		}
		if r.idle.calls != 0 {
			t.Errorf("%s: %d calls of the store while nobody looked", b, r.idle.calls)
		}
		if r.weight.page < 5000 || r.weight.all <= r.weight.page {
			t.Errorf("%s: got %+v", b, r.weight)
		}
		all = append(all, r)
	}
	var out bytes.Buffer
	tiny.print(&out, all)
	envtest.Complete(t, out.String(), "no filter", "state dead", "SQLite", "SQLite: p50 of Put with viewers, times that without")
}

func TestTheTableHasWhatFiltersLookFor(t *testing.T) {
	sc, closeScene, err := tiny.newScene(t.Context(), envtest.Env, env.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeScene(); err != nil {
			t.Error(err)
		}
	}()
	got := envtest.States(t, sc.DB)
	if got[webhook.Waiting] != 100 || got[webhook.Dead] != leastRows/400 || got[webhook.Superseded] != leastRows/10 {
		t.Errorf("got %v", got)
	}
	p, _, err := sc.page(t.Context(), webhook.Filter{States: []webhook.State{webhook.Dead}, Limit: pageSize})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sc.bare(t.Context(), webhook.Filter{Limit: pageSize}, p); err == nil {
		t.Error("the SELECT of another page is taken for that of this one")
	}
	if _, err := sc.get(t.Context(), "api/deliveries?state=lost"); err == nil {
		t.Error("an answer is accepted that is not 200")
	}
}
