package webhook

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLogLimitAllowsOneLineAndCountsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l logLimit
		want := func(subject string, wantHeld int, wantOK bool) {
			t.Helper()
			held, ok := l.allow(subject, time.Minute)
			require.Equal(t, wantOK, ok)
			require.Equal(t, wantHeld, held)
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
	require.Equal(t, maxSubjects+1, passed)
	require.Len(t, l.lines, maxSubjects+1)
}
