package env

import (
	"math"
	"testing"
)

func TestRatiosGoRoundByRound(t *testing.T) {
	slow := []float64{20, 2000, 200, 40} // the machine was disturbed in two rounds
	fast := []float64{10, 1000, 100, 10}
	if got := Ratio(slow, fast); got != 2 {
		t.Errorf("ratio: got %v, want 2", got)
	}
	if got := Ratio(Minus(slow, fast), fast); got != 1 {
		t.Errorf("ratio of the rest: got %v, want 1", got)
	}
	if got := Quantile(slow, 0); got != 20 {
		t.Errorf("lowest: got %v, want 20", got)
	}
	if got := Quantile(slow, 1); got != 2000 {
		t.Errorf("highest: got %v, want 2000", got)
	}
	if got := Median(nil); got != 0 || math.IsNaN(Spread([]float64{1})) {
		t.Errorf("of nothing: got %v", got)
	}
}

func TestAnAimIsOpenWhereClockAndProcessorTimeDisagree(t *testing.T) {
	for _, tt := range []struct {
		aim  Aim
		want string
	}{
		{Aim{AtMost: true, Want: 1.15, Got: 1.15, CPU: 1.1}, "reached"},
		{Aim{AtMost: true, Want: 1.15, Got: 1.2, CPU: 1.2}, "missed"},
		{Aim{AtMost: true, Want: 1.15, Got: 1.1, CPU: 1.2}, "open"},
		{Aim{Want: 5, Got: 6}, "reached"},
		{Aim{Want: 5, Got: 4, CPU: 4}, "missed"},
		{Aim{Want: 5, Got: 4, CPU: 5.5}, "open"},
	} {
		if got := tt.aim.VerdictByCPU(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.aim, got, tt.want)
		}
	}
}
