package held

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/env/envtest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestMain(m *testing.M) { envtest.Main(m) }

func TestEverySituationIsMeasured(t *testing.T) {
	if !envtest.Env.Has(env.PostgreSQL) {
		return // env.New has printed it
	}
	c := command{count: 1, time: 50 * time.Millisecond, trips: []time.Duration{0, 2 * time.Millisecond}, keys: 3, replays: 20, senders: 2}
	rows, err := c.measure(t.Context(), envtest.Env)
	if err != nil {
		t.Fatal(err) // also where what was acknowledged is not stored
	}
	if len(rows) != 2*len(situations) {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		switch {
		case len(r.p50) != 1 || r.sum.puts == 0 || r.p50[0] <= 0 || r.p99[0] < r.p50[0]:
			t.Errorf("got %+v", r)
		case r.name == nothingHeld && r.p50[0] < env.Millis(r.trip):
			t.Errorf("a Put took %v ms, less than the round trip of %v", r.p50, r.trip)
		case r.name == keysHeld && r.sum.waited < c.keys:
			t.Errorf("%d Puts were refused under %d held keys", r.sum.waited, c.keys)
		}
	}
	var out bytes.Buffer
	c.print(&out, rows)
	if n := strings.Count(out.String(), "\n| round trip "); n != 2*2*2+1 { // aims, and a head
		t.Errorf("%d lines of aims in\n%s", n, out.String())
	}
	envtest.Complete(t, out.String(), "0s | "+nothingHeld, "2ms | "+replayRuns)
}

func TestTheReplayThatIsMeasuredReplaysAll(t *testing.T) {
	if !envtest.Env.Has(env.PostgreSQL) {
		return // env.New has printed it
	}
	c := command{keys: 3, replays: 20}
	sc, closeScene, err := c.newScene(t.Context(), envtest.Env, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeScene(); err != nil {
			t.Error(err)
		}
	}()
	if got := envtest.States(t, sc.near.DB); len(got) != 1 || got[webhook.Done] != 20 {
		t.Errorf("at first: %v, want 20 done", got)
	}
	d, err := replay(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-d.over
	var r result
	if err := d.end(&r); err != nil || r.replayed <= 0 || r.failed > 0 {
		t.Errorf("got %+v, %v", r, err)
	}
	if got := envtest.States(t, sc.near.DB); len(got) != 2 || got[webhook.Blocked] != 17 || got[webhook.Waiting] != 3 {
		t.Errorf("at the end: %v, want 17 blocked and 3 waiting", got)
	}
}

// A Put that had begun before the keys were held may have waited for them.
func TestCallsCountThatRunInThatTimeWhollyOrInPart(t *testing.T) {
	zero := time.Now()
	at := func(s int) time.Time { return zero.Add(time.Duration(s) * time.Second) }
	senders := []timedCalls{
		{{at(0), at(5)}, {at(5), at(30)}, {at(30), at(31)}}, // before; across the beginning; within
		{{at(39), at(70)}, {at(40), at(41)}},                // across the end; after
	}
	got := between(senders, at(10), at(40))
	if want := []time.Duration{time.Second, 25 * time.Second, 31 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatWasAcknowledgedIsStored(t *testing.T) {
	for _, tt := range []struct {
		stored, acknowledged, calls int
		fails                       bool
	}{{10, 10, 10, false}, {11, 10, 12, false}, {9, 10, 12, true}, {13, 10, 12, true}} {
		if err := accounted(tt.stored, tt.acknowledged, tt.calls); (err != nil) != tt.fails {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestAimsCompareRunsOfTheSamePass(t *testing.T) {
	of := func(name string, refused int, p99 ...time.Duration) *row {
		r := &row{situation: situation{name: name}, trip: 5 * time.Millisecond}
		for _, d := range p99 {
			r.add(result{puts: 1, p50: d, p99: d, refused: refused})
		}
		return r
	}
	const unit = 10 * time.Millisecond
	free := of(nothingHeld, 0, unit, 10*unit, unit) // the machine was disturbed in the second pass
	for _, tt := range []struct {
		row  *row
		want string
	}{
		{of(keysHeld, 0, 2*unit, 15*unit, 2*unit), "1.00 reached, 0.00 reached"},
		{of(keysHeld, 1, 4*unit, 40*unit, 4*unit), "2.00 missed, 3.00 missed"},
	} {
		var got []string
		for _, a := range tt.row.aims(free) {
			got = append(got, fmt.Sprintf("%.2f %s", a.Got, a.Verdict()))
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if got := freeRow([]*row{of(keysHeld, 0, unit), free}, 5*time.Millisecond); got != free {
		t.Errorf("compared with %+v", got)
	}
}

func TestRoundTripsAreRead(t *testing.T) {
	got, err := env.List("0,5ms,1s", roundTrip)
	if err != nil || !slices.Equal(got, []time.Duration{0, 5 * time.Millisecond, time.Second}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, list := range []string{"", "5", "1ms,,2ms", "-1ms"} {
		if got, err := env.List(list, roundTrip); err == nil {
			t.Errorf("%q is read as %v", list, got)
		}
	}
}
