package kudu_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestClocksThatDifferByHoursLoseNothing(t *testing.T) {
	for _, ahead := range []time.Duration{-5 * time.Hour, 5 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *catchUpRig) {
				g.ahead = ahead
				g.missed(5)
				stop := g.start(g.catchUp())
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
				stop()
				g.ahead -= 3 * time.Hour // the clock is set back
				g.missed(5)
				catchuptest.Advance(time.Hour)
				defer g.start(g.catchUp())()
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
			})
		})
	}
}

func TestTwoProcessesRunNothingTwice(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(300)
		defer g.start(g.catchUp())()
		defer g.start(g.catchUp())()
		catchuptest.Advance(5 * time.Minute)
		g.wantAllRun()
	})
}

// Two processes begin at the same time. The second one does not leave alone what the first one
// has yet to put.
func TestAFirstRunOfTwoProcessesBeginsWithTheFirst(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.send(1)
		first := g.start(g.catchUp())
		synctest.Wait()
		first()
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(4)
		g.net.Set(nil)
		in := &lateInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

// A lateInbox has no cursor when it is read first, as if another process wrote it after that.
type lateInbox struct {
	*webhook.MemInbox
	read atomic.Bool
}

func (in *lateInbox) Cursor(ctx context.Context, name string) (string, error) {
	if !in.read.Swap(true) {
		return "", nil
	}
	return in.MemInbox.Cursor(ctx, name)
}

// What was left alone by the first run stays so when the site has lost its list for a while.
func TestAListThatIsEmptyForAWhileRepeatsNothing(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(5)
		g.net.Set(nil)
		c := g.catchUp()
		c.Every = time.Minute
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		empty := "[]"
		if g.target != kudu.Deployments() {
			empty = `{"runs":[]}`
		}
		g.site.Fail(10, kudutest.Failure{Body: empty})
		catchuptest.Advance(time.Hour)
		if n := g.missing(); n != 5 {
			t.Errorf("%d have not run, want the 5 that had ended before the first run", n)
		}
	})
}

func TestADamagedCursorIsSaidOnceAndRepaired(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(5)
		name := "kudu app.scm.example deployments"
		if g.target != kudu.Deployments() {
			name = "kudu app.scm.example job nightly"
		}
		now, err := g.inbox.Cursor(t.Context(), name)
		g.check(err)
		g.check(g.inbox.SetCursor(t.Context(), name, now, "damaged"))
		c := g.catchUp()
		c.Every = time.Minute
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		g.wantAllRun()
		g.wantSaid(1, "cursor of a catch-up is damaged")
		g.wantSaid(0, "catch-up fails")
	})
}

// The inbox forgets dedup keys after its Window, a program may look once in months, and Kudu
// lists what is older.
func TestWhatTheInboxHasForgottenDoesNotRunAgain(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.send(1)
		stop := g.start(g.catchUp())
		catchuptest.Advance(time.Minute)
		g.send(5)
		catchuptest.Advance(40 * 24 * time.Hour) // 30 days are the Window
		stop()
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(2)
		g.net.Set(nil)
		stop = g.start(g.catchUp())
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		stop()
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(1)
		g.net.Set(nil)
		catchuptest.Advance(2 * time.Hour)
		c := g.catchUp()
		c.MaxAge = time.Hour
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		if s := c.Status(); s.Found != 0 || s.Err != nil {
			t.Errorf("status %+v, want nothing found", s)
		}
	})
}
