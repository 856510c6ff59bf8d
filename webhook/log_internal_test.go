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
		want("a", 0, false)
		want("b", 0, true)
		want("a", 0, false)
		<-time.After(time.Minute)
		want("a", 2, true)
		want("b", 0, true)
		want("a", 0, false)
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
