package publish

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
)

// Each run fails unless the sink has got each delivery once, and all are settled.
func TestEveryImplementationDeliversAll(t *testing.T) {
	rows, err := tiny.measureRates(t.Context(), envtest.Env)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, m := range impls {
		if envtest.Env.Has(m.backend) {
			want += len(tiny.endpoints)
		}
	}
	if len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	for _, r := range rows {
		if len(r.rate) != 1 || r.rate[0] <= 0 || r.whole[0] > r.rate[0] || (len(r.events) == 0) != (r.backend == env.Memory) {
			t.Errorf("%s, %s: got %+v", r.name, r.backend, r)
		}
	}
	var out bytes.Buffer
	printRates(&out, rows)
	envtest.Complete(t, out.String(), "3 | hookhouse Publisher | ours | SQLite", "3 | http.Client loop | floor | memory")
}

func TestOneOfSeveralEndpointsHangsIfTheyAreOurs(t *testing.T) {
	for _, tt := range []struct {
		kind      receive.Kind
		endpoints int
		want      audience
		lanes     int
	}{
		{receive.Ours, 1, audience{1, false}, 64},
		{receive.Ours, 10, audience{9, true}, 6},
		{receive.Ours, 1000, audience{999, true}, 4},
		{receive.Floor, 10, audience{10, false}, 6},
	} {
		r := &row{impl: impl{kind: tt.kind}, endpoints: tt.endpoints}
		if got := r.audience(); got != tt.want || got.lanes() != tt.lanes {
			t.Errorf("%+v: got %+v with %d lanes", tt, got, got.lanes())
		}
	}
}

func TestARowIsComparedWithThoseOnItsDatabase(t *testing.T) {
	of := func(i, endpoints int, whole, rate, cpu float64) *row {
		r := &row{impl: impls[i], endpoints: endpoints}
		r.add(figure{events: 1, whole: whole, rate: rate, cpu: cpu})
		return r
	}
	rows := []*row{
		of(0, 10, 900, 900, 1), of(1, 10, 1, 1, 1), // on SQLite
		of(3, 10, 50, 80, 300), of(4, 10, 100, 200, 100), of(4, 100, 1, 1, 1), of(5, 10, 90, 100, 200),
	}
	var got []string
	for _, a := range rateAims(rows) {
		got = append(got, fmt.Sprintf("%.2f of %.2f (%.2f) %s", a.Got, a.Want, a.CPU, a.Verdict()))
	}
	want := []string{
		"0.90 of 0.75 (0.00) reached", "0.50 of 0.75 (0.50) missed", // the Worker's
		"1.80 of 1.00 (0.00) reached", "1.25 of 1.00 (1.50) reached", // River's
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if loop := rows[5].beside(rows, loopName); loop != rows[0] {
		t.Errorf("compared with the loop %+v", loop)
	}
	if floorShare(1) != 0.45 || floorShare(10) != 0.75 {
		t.Error("other shares of the floor are wanted")
	}
}
