package jobserv_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
)

// The call of a build that was completed a moment ago is still tried.
func TestABuildThatJobServCallsForIsLeftToIt(t *testing.T) {
	for _, tt := range []struct {
		ends  []callEnd
		found int
	}{
		{[]callEnd{refused, refused, refused, passed}, 0},
		{[]callEnd{refused, refused, refused, refused}, 1},
	} {
		t.Run(fmt.Sprint(tt.ends), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				stop := g.run(g.catchUp())
				advance(time.Minute)
				stop()
				g.net.set(each(tt.ends...))
				go g.send(1)
				advance(3 * time.Second) // one after the completion
				c := g.catchUp()
				defer g.run(c)()
				advance(30 * time.Second)
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
		advance(time.Minute)
		stop()
		g.ci.External(project)
		g.net.set(each(refused))
		for n := range 6 {
			id := g.start()
			g.ci.Describe(project, id, "a reason", fmt.Sprint("trigger ", n%2), "")
			advance(time.Second)
			g.ci.Finish(t.Context(), project, id, jobserv.Passed)
		}
		g.net.set(nil)
		advance(time.Minute)
		c := g.catchUp()
		c.Notified = func(b jobserv.Build) bool { return b.TriggerName.Or("") != "trigger 0" && b.Passed() }
		defer g.run(c)()
		advance(time.Minute)
		if s := c.Status(); s.Found != 3 || s.Stored != 3 || len(g.ran) != 3 {
			t.Errorf("status %+v and %d runs, want 3", s, len(g.ran))
		}
	})
}

// The inbox forgets dedup keys after its Window, and a program may look once in months.
func TestWhatTheInboxHasForgottenDoesNotRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		stop := g.run(g.catchUp())
		g.send(5)
		advance(time.Minute)
		stop()
		advance(40 * 24 * time.Hour) // 30 days are the Window
		g.net.set(each(refused))
		g.send(1)
		g.net.set(nil)
		advance(time.Hour)
		stop = g.run(g.catchUp())
		advance(time.Minute)
		g.wantAllRun()
		stop()
		c := g.catchUp()
		c.MaxAge = time.Hour
		advance(2 * time.Hour)
		defer g.run(c)()
		advance(time.Minute)
		if s := c.Status(); s.Found != 0 {
			t.Errorf("status %+v, want nothing found", s)
		}
	})
}
