package drain

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
)

func TestMain(m *testing.M) { envtest.Main(m) }

func TestEveryImplementationSettlesAll(t *testing.T) {
	for _, m := range impls {
		if !envtest.Env.Has(m.backend) {
			continue
		}
		t.Run(fmt.Sprint(m.name, ", ", m.backend), func(t *testing.T) {
			r := &row{impl: m, concurrency: 4}
			if err := r.measure(t.Context(), envtest.Env, 30); err != nil {
				t.Fatal(err) // also if something is not settled
			}
			if len(r.rate) != 1 || r.rate[0] <= 0 {
				t.Errorf("got %v", r.rate)
			}
		})
	}
}

func TestARowIsComparedWithThePeerOnItsDatabase(t *testing.T) {
	at := func(i, concurrency int, rate, cpu, database float64) *row {
		return &row{impl: impls[i], concurrency: concurrency, rate: []float64{rate}, cpu: []float64{cpu}, database: []float64{database}}
	}
	ours := at(3, 8, 300, 100, 100)
	rows := []*row{at(0, 8, 1, 1, 0), at(2, 64, 2, 1, 1), at(2, 8, 200, 50, 300), ours}
	if a := ours.aim(ours.peer(rows)); a.Got != 1.5 || a.CPU != 1.75 || a.Verdict() != "reached" {
		t.Errorf("got %+v", a)
	}
	if p := rows[0].peer(rows); p != nil || rows[0].kind != receive.Peer {
		t.Errorf("a peer is compared with %+v", p)
	}
	var out bytes.Buffer
	printRows(&out, rows)
	envtest.Complete(t, out.String(), "hookhouse Worker | ours | PostgreSQL | 8", "PostgreSQL, 8 at once: deliveries/s, times River Client")
}
