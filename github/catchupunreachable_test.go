package github_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
)

// Each redelivery counts against the rate limit of the token, and fails too.
func TestAReceiverThatGitHubCannotReachCostsFewRedeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(300)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		if s := c.Status(); s.Asked > 80 || s.Missing != 300 {
			t.Errorf("status %+v, want at most 80 redeliveries", s)
		}
		g.net.Set(nil)
		c.Look()
		catchuptest.Advance(10 * time.Minute)
		g.wantAllRun()
	})
}

func TestRedeliveriesThatTakeMinutesArriveInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(300)
		g.gh.RedeliverAfter = 3 * time.Minute
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Hour)
		g.wantAllRun()
	})
}
