package webhook

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALogLimitLetsOneLinePassAndCountsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l logLimit
		pass := func(subject string, wantHeld int, wantOK bool) {
			t.Helper()
			held, ok := l.pass(subject, time.Minute)
			require.Equal(t, wantOK, ok)
			require.Equal(t, wantHeld, held)
		}
		pass("a", 0, true)
		pass("a", 0, false)
		pass("b", 0, true)
		pass("a", 0, false)
		<-time.After(time.Minute)
		pass("a", 2, true)
		pass("b", 0, true)
		pass("a", 0, false)
	})
}

func TestALogLimitIsBoundedHoweverManySubjectsCome(t *testing.T) {
	var l logLimit
	passed := 0
	for i := range 100 * maxSubjects {
		if _, ok := l.pass(strconv.Itoa(i), time.Hour); ok {
			passed++
		}
	}
	require.Equal(t, maxSubjects+1, passed)
	require.Len(t, l.lines, maxSubjects+1)
}
