package kudu_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// One deployment that the inbox refuses keeps the position where it is. The others are
// looked at again until it is older than MaxAge, so the inbox must know them for longer.
func TestAnInboxWithAShortWindowRunsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		in := &refusingInbox{MemInbox: &webhook.MemInbox{Window: 7 * 24 * time.Hour, Logger: catchuptest.Quiet()}}
		g.inbox = in
		in.refuse.Store(true)
		g.missed(8)
		c := g.catchUp()
		c.Every = time.Hour
		defer g.start(c)()
		for range 120 { // more than the position has marks
			g.send(1)
			catchuptest.Advance(time.Hour)
		}
		catchuptest.Advance(9 * 24 * time.Hour)
		if n := g.missing(); n != 1 {
			t.Errorf("%d have not run, want that which was refused", n)
		}
		if s := c.Status(); s.Lost != 1 {
			t.Errorf("status %+v, want one lost", s)
		}
	})
}

func TestMaxAgeIsShorterThanTheWindowOfTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.inbox = &webhook.MemInbox{Window: 7 * 24 * time.Hour}
		c := g.catchUp()
		c.MaxAge = 7 * 24 * time.Hour
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "168h0m0s (Window)") {
			t.Errorf("got %v, want the Window", err)
		}
	})
}
