package publish

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestPairsAreRunWithAndWithoutWhatHangs(t *testing.T) {
	c := tiny
	c.impls = "SQLite"
	pairs, err := c.measurePairs(t.Context(), envtest.Env)
	if err != nil {
		t.Fatal(err) // also if nothing hangs
	}
	if len(pairs) != 1 || len(pairs[0].with) != 1 || len(pairs[0].without) != 1 {
		t.Errorf("got %+v", pairs)
	}
	var out bytes.Buffer
	c.printPairs(&out, []*pair{{backend: env.SQLite, without: []float64{100, 10, 50}, with: []float64{90, 10, 40}}})
	envtest.Complete(t, out.String(), "SQLite | 50")
	if !bytes.Contains(out.Bytes(), []byte("| 0.90 | 0.80–1.00 | 0.80 | 1.00 |")) {
		t.Errorf("got\n%s", out.String())
	}
}

func TestTheMemoryOfAProcessThatDeliversIsMeasured(t *testing.T) {
	c := tiny
	c.impls = "SQLite"
	all, err := c.measureMemory(t.Context(), envtest.Env)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || all[1].waiting != c.waiting || all[2].endpoints != c.many {
		t.Fatalf("got %+v", all)
	}
	for _, l := range all {
		if l.Heap < 1<<16 || l.Heap > 1<<28 {
			t.Errorf("got %+v", l)
		}
	}
	all[0].Peak, all[1].Peak, all[2].Peak = 100, 150, 160
	var got []string
	for _, a := range memoryAims(all) {
		got = append(got, fmt.Sprintf("%.2f %s", a.Got, a.Verdict()))
	}
	if want := "[1.50 reached 1.60 missed]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	var out bytes.Buffer
	c.printMemory(&out, all)
	envtest.Complete(t, out.String(), "SQLite | 10 | 300", "SQLite | 20 | 60")
}

func TestABacklogIsOlderThanWhatIsClaimedBesideIt(t *testing.T) {
	for _, b := range env.Databases {
		if !envtest.Env.Has(b) {
			continue
		}
		t.Run(string(b), func(t *testing.T) {
			q, remove, err := tiny.openQueue(t.Context(), envtest.Env, b, tiny.backlog)
			if err != nil {
				t.Fatal(err) // also if the heads of the backlog are not the oldest
			}
			defer func() {
				if err := errors.Join(q.Close(), remove()); err != nil {
					t.Error(err)
				}
			}()
			others := otherEndpoints * fillLanes
			want := map[webhook.State]int{webhook.Claimed: fillLanes, webhook.Waiting: others, webhook.Blocked: tiny.backlog - fillLanes}
			if got := envtest.States(t, q.DB); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if err := q.claim(t.Context(), 5); err != nil { // also if one is of the backlog
				t.Fatal(err)
			}
			if n := envtest.States(t, q.DB)[webhook.Done]; n != 5 || len(q.took) != 5 {
				t.Errorf("%d are settled and %d timed, want 5", n, len(q.took))
			}
		})
	}
}

func TestABacklogIsComparedWithTheTableWithoutIt(t *testing.T) {
	all := []*queue{
		{backend: env.SQLite, took: []float64{10, 10, 100}}, {backend: env.SQLite, backlog: 5, took: []float64{15, 16, 150}},
		{backend: env.PostgreSQL, took: []float64{10}}, {backend: env.PostgreSQL, backlog: 5, took: []float64{20}},
	}
	var got []string
	for _, a := range backlogAims(all) {
		got = append(got, fmt.Sprintf("%.2f %s", a.Got, a.Verdict()))
	}
	if want := "[1.50 reached 2.00 missed]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
