package webhook

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogLimitAllowsOneLineAndCountsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l logLimit
		want := func(subject string, wantHeld int, wantOK bool) {
			t.Helper()
			held, ok := l.allow(subject, time.Minute)
			if ok != wantOK {
				t.Fatalf("ok = %v, want %v", ok, wantOK)
			}
			if held != wantHeld {
				t.Fatalf("held = %d, want %d", held, wantHeld)
			}
		}
		want("a", 0, true)
		want("a", 1, false)
		want("b", 0, true)
		want("a", 2, false)
		<-time.After(time.Minute)
		want("a", 2, true)
		want("b", 0, true)
		want("a", 1, false)
	})
}

func TestLogLimitAllowsABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := logLimit{burst: 3}
		for round, wantHeld := range []int{0, 4, 0} {
			for i := range 7 {
				held, ok := l.allow("a", time.Minute)
				want := 0
				switch {
				case i == 0:
					want = wantHeld
				case i >= 3:
					want = i - 2
				}
				if held != want || ok != (i < 3) {
					t.Fatalf("round %d, line %d: %d, %t; want %d, %t", round, i, held, ok, want, i < 3)
				}
			}
			if round == 1 {
				if held := l.takeHeld("a"); held != 4 {
					t.Fatalf("%d lines are held back, want 4", held)
				}
			}
			<-time.After(time.Minute)
		}
		if held := l.takeHeld("b"); held != 0 {
			t.Fatalf("%d lines are held back of an unknown subject", held)
		}
	})
}

func TestLogLimitRemembersABoundedNumberOfSubjects(t *testing.T) {
	var l logLimit
	passed := 0
	for i := range 100 * maxSubjects {
		if _, ok := l.allow(strconv.Itoa(i), time.Hour); ok {
			passed++
		}
	}
	if passed != maxSubjects+1 {
		t.Fatalf("passed = %d, want %d", passed, maxSubjects+1)
	}
	if len(l.lines) != maxSubjects+1 {
		t.Fatalf("len(l.lines) = %d, want %d: %v", len(l.lines), maxSubjects+1, l.lines)
	}
}
