package jobserv_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A first run leaves alone what is complete, and follows a build that is not, also if it is
// behind many that are.
func TestTheFirstRunFollowsABuildThatIsNotAmongTheNewest(t *testing.T) {
	for name, since := range map[string]time.Duration{"now": 0, "at a given time": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.net.Set(catchuptest.Each(catchuptest.Refused))
				long := g.start()
				g.send(180)
				g.sent = nil
				catchuptest.Advance(time.Hour)
				c := g.catchUp()
				if since > 0 {
					c.Since = time.Now().Add(-since)
				}
				stop := g.run(c)
				catchuptest.Advance(time.Minute)
				if s := c.Status(); s.Running != 1 || s.Found != 0 {
					t.Errorf("status %+v, want one running", s)
				}
				stop()
				g.finish(long)
				g.net.Set(nil)
				catchuptest.Advance(time.Minute)
				defer g.run(g.catchUp())()
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
			})
		})
	}
}

// The list of a first run ends where builds are older than MaxAge.
func TestTheFirstRunListsTheBuildsOfMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(500)
		catchuptest.Advance(15 * 24 * time.Hour)
		g.send(60)
		g.sent = nil
		defer g.run(g.catchUp())()
		catchuptest.Advance(time.Minute)
		if n := len(g.ci.Requests()); n != 3 { // the last one has older ones only
			t.Errorf("%d requests, want 3", n)
		}
		g.wantAllRun()
	})
}

// In whole seconds a build that runs at the first look may end in that second.
func TestABuildThatEndsInTheSecondOfTheFirstLookIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		id := g.start()
		catchuptest.Advance(time.Minute)
		g.start() // is created in the same second
		stop := g.run(g.catchUp())
		catchuptest.Advance(10 * time.Millisecond)
		stop()
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.finish(id)
		g.net.Set(nil)
		catchuptest.Advance(time.Minute)
		defer g.run(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

// A process that ends in its first look does not move the beginning.
func TestTheFirstRunBeginsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(120)
		g.sent = nil
		up := g.client.Transport
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Query().Get("page") == "1" {
				return nil, errors.New("connection reset")
			}
			return up.RoundTrip(r)
		})
		stop := g.run(g.catchUp())
		catchuptest.Advance(time.Second)
		stop()
		g.client.Transport = up
		g.send(3)
		g.net.Set(nil)
		catchuptest.Advance(time.Minute)
		defer g.run(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

// The project is removed and created again, and has more builds than before when a CatchUp
// looks again.
func TestAProjectThatIsCreatedAgainBeginsAnewWithMoreBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(70)
		stop := g.run(g.catchUp())
		catchuptest.Advance(time.Minute)
		stop()
		g.wantAllRun()
		catchuptest.Advance(time.Hour)
		g.ci.AddProject(project, jobservtest.Hook{URL: "http://receiver/hooks/jobserv", Secret: webhook.NewSecret("hook secret")})
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(150)
		g.net.Set(nil)
		catchuptest.Advance(time.Minute)
		for range 2 {
			stop := g.run(g.catchUp())
			catchuptest.Advance(time.Minute)
			stop()
		}
		g.wantAllRun()
		g.wantSaid(1, "begin anew")
	})
}

// A list that becomes shorter while it is read may have skipped builds: it is read again.
func TestAListThatBecomesShorterIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(160)
		up := g.client.Transport
		listed := 0
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/builds/") {
				if listed++; listed == 2 {
					for id := range int64(3) {
						g.ci.RemoveBuild(project, 158+id)
					}
				}
			}
			return up.RoundTrip(r)
		})
		c := g.catchUp()
		defer g.run(c)()
		catchuptest.Advance(time.Minute)
		g.sent = g.sent[:157]
		g.wantAllRun()
		g.wantSaid(1, "catch-up fails")
		g.wantSaid(1, "works again")
	})
}
