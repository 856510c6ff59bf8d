package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestATableHasARowForEachContender(t *testing.T) {
	r := race{realPush, pushContenders}
	benches, err := runRace(r, 1, time.Microsecond)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	printRace(&out, r, benches)
	printAims(&out, raceAims(benches))
	for _, c := range r.contenders {
		if !strings.Contains(out.String(), "\n| "+c.name+" | ") {
			t.Errorf("no row for %s in\n%s", c.name, out.String())
		}
	}
	if strings.Contains(out.String(), "NaN") {
		t.Errorf("a figure is missing in\n%s", out.String())
	}
}

func TestEveryContenderServesOverTheNetwork(t *testing.T) {
	for _, c := range pushContenders {
		in, stop := io.Pipe()
		addr, out := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- serve(c, in, out) }()
		at, err := bufio.NewReader(addr).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		var result bytes.Buffer
		if err := generate(&result, c, realPush.text, strings.TrimSpace(at), 20*time.Millisecond); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		stop.Close()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var l load
		if err := json.Unmarshal(result.Bytes(), &l); err != nil || l.Requests == 0 {
			t.Errorf("%s: %+v, %v", c.name, l, err)
		}
	}
}

func TestRatiosGoRoundByRound(t *testing.T) {
	slow := []float64{20, 2000, 200, 40} // the machine was disturbed in two rounds
	fast := []float64{10, 1000, 100, 10}
	if got := ratio(slow, fast); got != 2 {
		t.Errorf("ratio: got %v, want 2", got)
	}
	if got := ratio(minus(slow, fast), fast); got != 1 {
		t.Errorf("ratio of the rest: got %v, want 1", got)
	}
	if got := quantile(slow, 0); got != 20 {
		t.Errorf("lowest: got %v, want 20", got)
	}
	if got := quantile(slow, 1); got != 2000 {
		t.Errorf("highest: got %v, want 2000", got)
	}
	if got := median(nil); got != 0 || math.IsNaN(spread([]float64{1})) {
		t.Errorf("of nothing: got %v", got)
	}
}

func TestAnAimIsOpenWhereClockAndProcessorTimeDisagree(t *testing.T) {
	for _, tt := range []struct {
		aim  aim
		want string
	}{
		{aim{atMost: true, want: 1.15, got: 1.15, cpu: 1.1}, "reached"},
		{aim{atMost: true, want: 1.15, got: 1.2, cpu: 1.2}, "missed"},
		{aim{atMost: true, want: 1.15, got: 1.1, cpu: 1.2}, "open"},
		{aim{want: 5, got: 6}, "reached"},
		{aim{want: 5, got: 4, cpu: 4}, "missed"},
		{aim{want: 5, got: 4, cpu: 5.5}, "open"},
	} {
		if got := tt.aim.verdict(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.aim, got, tt.want)
		}
	}
}
