package jobserv_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
)

// The call of a build that was completed a moment ago is still tried.
func TestABuildThatJobServCallsForIsLeftToIt(t *testing.T) {
	for _, tt := range []struct {
		ends  []catchuptest.CallEnd
		found int
	}{
		{[]catchuptest.CallEnd{catchuptest.Refused, catchuptest.Refused, catchuptest.Refused, catchuptest.Passed}, 0},
		{[]catchuptest.CallEnd{catchuptest.Refused, catchuptest.Refused, catchuptest.Refused, catchuptest.Refused}, 1},
	} {
		t.Run(fmt.Sprint(tt.ends), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				stop := g.run(g.catchUp())
				catchuptest.Advance(time.Minute)
				stop()
				g.net.Set(catchuptest.Each(tt.ends...))
				go g.send(1)
				catchuptest.Advance(3 * time.Second) // one after the completion
				c := g.catchUp()
				defer g.run(c)()
				catchuptest.Advance(30 * time.Second)
				g.wantAllRun()
				if s := c.Status(); s.Found != tt.found || s.Looks != 2 {
					t.Errorf("status %+v, want %d found in two looks", s, tt.found)
				}
			})
		})
	}
}

// JobServ makes no call for some builds, and the program says for which others.
func TestBuildsWithoutACallAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		stop := g.run(g.catchUp())
		catchuptest.Advance(time.Minute)
		stop()
		g.ci.External(project)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		for n := range 6 {
			id := g.start()
			g.ci.Describe(project, id, "a reason", fmt.Sprint("trigger ", n%2), "")
			catchuptest.Advance(time.Second)
			g.ci.Finish(t.Context(), project, id, jobserv.Passed)
		}
		g.net.Set(nil)
		catchuptest.Advance(time.Minute)
		c := g.catchUp()
		c.Notified = func(b jobserv.Build) bool { return b.TriggerName.Or("") != "trigger 0" && b.Passed() }
		defer g.run(c)()
		catchuptest.Advance(time.Minute)
		if s := c.Status(); s.Found != 3 || s.Stored != 3 || len(g.ran) != 3 {
			t.Errorf("status %+v and %d runs, want 3", s, len(g.ran))
		}
	})
}

// A build may end in the second in which it was created, may fail before it begins, and may be
// promoted although it failed.
func TestTheRunsTellWhetherJobServCalls(t *testing.T) {
	for _, whole := range []bool{true, false} {
		t.Run(fmt.Sprint("whole seconds: ", whole), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.ci.WholeSeconds = whole
				g.missed(1) // where the position is
				g.net.Set(catchuptest.Each(catchuptest.Refused))
				before := len(g.ci.Requests())
				g.ci.External(project)
				g.ci.FailBefore(project)
				for _, promote := range []bool{false, true} {
					for _, status := range []jobserv.Status{jobserv.Passed, jobserv.Failed} {
						id := g.start()
						if status == jobserv.Failed { // what only_failures calls for
							g.note(id)
						}
						g.ci.Finish(t.Context(), project, id, status)
						if promote {
							g.ci.Promote(project, id, "v1", "")
						}
						catchuptest.Advance(time.Minute)
					}
				}
				g.net.Set(nil)
				c := g.catchUp()
				c.Notified = func(b jobserv.Build) bool { return !b.Passed() || b.BuildID == 1 }
				defer g.run(c)()
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
				if s := c.Status(); s.Found != 3 || len(g.ci.Requests())-before != 1+3 {
					t.Errorf("status %+v and %d requests, want 3 found", s, len(g.ci.Requests())-before)
				}
			})
		})
	}
}

// The inbox forgets dedup keys after its Window, and a program may look once in months.
func TestWhatTheInboxHasForgottenDoesNotRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		stop := g.run(g.catchUp())
		g.send(5)
		catchuptest.Advance(time.Minute)
		stop()
		catchuptest.Advance(40 * 24 * time.Hour) // 30 days are the Window
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(1)
		g.net.Set(nil)
		catchuptest.Advance(time.Hour)
		stop = g.run(g.catchUp())
		catchuptest.Advance(time.Minute)
		stop()
		g.wantAllRun()
		g.wantSaid(1, "completed longer ago than MaxAge")
		g.wantSaid(1, "count=5")
	})
}

func TestMaxAgeIsHowOldAMissingBuildMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(1)
		catchuptest.Advance(2 * time.Hour)
		for _, tt := range []struct {
			maxAge time.Duration
			found  int
		}{{time.Hour, 0}, {3 * time.Hour, 1}, {0, 0}} { // the last one: it is in the inbox
			c := g.catchUp()
			c.MaxAge = tt.maxAge
			stop := g.run(c)
			catchuptest.Advance(time.Minute)
			stop()
			if s := c.Status(); s.Found != tt.found || s.Looks != 1 || s.Err != nil {
				t.Errorf("MaxAge %v: status %+v, want %d found", tt.maxAge, s, tt.found)
			}
		}
		g.wantAllRun()
		g.wantSaid(1, "completed longer ago than MaxAge")
	})
}

// An inbox that remembers dedup keys for less than 14 days has a shorter default.
func TestMaxAgeIsShorterThanTheWindowOfTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.inbox = &webhook.MemInbox{Logger: catchuptest.Quiet(), Window: 48 * time.Hour}
		stop := g.run(g.catchUp())
		g.send(3)
		catchuptest.Advance(time.Minute)
		stop()
		catchuptest.Advance(72 * time.Hour)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(1)
		g.net.Set(nil)
		catchuptest.Advance(23 * time.Hour)
		defer g.run(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun() // and nothing twice
	})
}
