package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryCaseOfHeldKeysIsMeasured(t *testing.T) {
	if !theSite.has(inPostgres) {
		return // and newSite said so
	}
	o := heldRun{count: 1, time: 50 * time.Millisecond, trips: []time.Duration{0, 2 * time.Millisecond}, keys: 3, replays: 20, senders: 2}
	rows, err := o.measure(t.Context(), theSite)
	if err != nil {
		t.Fatal(err) // also where what was acknowledged is not stored
	}
	if len(rows) != 2*len(heldCases) {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		if len(r.runs) != 1 {
			t.Fatalf("%s, %v: %d runs", r.name, r.trip, len(r.runs))
		}
		switch got := r.runs[0]; {
		case got.puts == 0 || got.p50 <= 0 || got.p99 < got.p50:
			t.Errorf("%s, %v: %+v", r.name, r.trip, got)
		case r.name == caseFree && got.p50 < r.trip:
			t.Errorf("a Put took %v, less than the round trip of %v", got.p50, r.trip)
		case r.name == caseHeld && got.waited < o.keys:
			t.Errorf("%d Puts were refused under %d held keys", got.waited, o.keys)
		}
	}
	var out bytes.Buffer
	printHeld(&out, o, rows)
	if n := strings.Count(out.String(), "\n| round trip "); n != 2*2*2+1 { // aims, and a head
		t.Errorf("%d lines of aims in\n%s", n, out.String())
	}
	if strings.Contains(out.String(), "NaN") {
		t.Errorf("a figure is missing in\n%s", out.String())
	}
}

func TestTheReplayThatIsMeasuredReplaysAll(t *testing.T) {
	if !theSite.has(inPostgres) {
		return // and newSite said so
	}
	o := heldRun{keys: 3, replays: 20}
	sc, closeScene, err := o.newScene(t.Context(), theSite, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeScene(); err != nil {
			t.Error(err)
		}
	}()
	if got, want := states(t, sc.nearDB), "done 20"; got != want {
		t.Errorf("at first: %s, want %s", got, want)
	}
	d, err := replayRuns(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-d.over
	var r liveRun
	if err := d.end(&r); err != nil || r.replayed <= 0 || r.failed > 0 {
		t.Errorf("got %+v, %v", r, err)
	}
	if got, want := states(t, sc.nearDB), "blocked 17, waiting 3"; got != want {
		t.Errorf("at the end: %s, want %s", got, want)
	}
}

// A Put that was under way when the keys were taken is one that waited.
func TestCallsCountThatRunInThatTimeIfOnlyInPart(t *testing.T) {
	zero := time.Now()
	at := func(s int) time.Time { return zero.Add(time.Duration(s) * time.Second) }
	senders := []timedCalls{
		{{at(0), at(5)}, {at(5), at(30)}, {at(30), at(31)}}, // before; across the begin; within
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

func TestHeldKeysAreHeldToTheirPass(t *testing.T) {
	row := func(name string, refused int, p99 ...time.Duration) *heldRow {
		r := &heldRow{heldCase: heldCase{name: name}, trip: 5 * time.Millisecond}
		for _, d := range p99 {
			r.runs = append(r.runs, liveRun{puts: 1, p50: d, p99: d, refused: refused})
		}
		return r
	}
	const unit = 10 * time.Millisecond
	free := row(caseFree, 0, unit, 10*unit, unit) // the machine was disturbed in the second pass
	for _, tt := range []struct {
		row  *heldRow
		want string
	}{
		{row(caseHeld, 0, 2*unit, 15*unit, 2*unit), "1.00 reached, 0.00 reached"},
		{row(caseHeld, 1, 4*unit, 40*unit, 4*unit), "2.00 missed, 3.00 missed"},
	} {
		var got []string
		for _, a := range tt.row.aims(free) {
			got = append(got, fmt.Sprintf("%.2f %s", a.got, a.verdict()))
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if got := freeRow([]*heldRow{row(caseHeld, 0, unit), free}, 5*time.Millisecond); got != free {
		t.Errorf("compared with %+v", got)
	}
}

func TestRoundTripsAreRead(t *testing.T) {
	got, err := durations("0,5ms,1s")
	if err != nil || !slices.Equal(got, []time.Duration{0, 5 * time.Millisecond, time.Second}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, list := range []string{"", "5", "1ms,,2ms", "-1ms"} {
		if got, err := durations(list); err == nil {
			t.Errorf("%q is read as %v", list, got)
		}
	}
}
