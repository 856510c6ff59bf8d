package jobserv_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestAnAPIThatFailsForAnHourIsTriedAgain(t *testing.T) {
	for name, f := range map[string]jobservtest.Failure{
		"a server error":                {Status: 502},
		"an error of JobServ":           {Status: 500, Message: "An unexpected error occurred"},
		"a proxy's redirect to a login": {Status: 302},
		"a half-written page":           {Cut: true},
		"a page that lacks a build":     {Drop: 1},
		"a server that only lists":      {Path: "/projects/acme/app/builds/%d/", Status: 500, Message: "An unexpected error occurred"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(5)
				g.failWhile(time.Hour, f)
				before := len(g.ci.Requests())
				c := g.catchUp()
				defer g.run(c)()
				catchuptest.Advance(time.Hour)
				if g.missing() != 5 || c.Status().Err == nil {
					t.Errorf("%d have not run, status %+v", g.missing(), c.Status())
				}
				if n := len(g.ci.Requests()) - before; n < 12 || n > 80 {
					t.Errorf("%d requests in an hour", n)
				}
				catchuptest.Advance(6 * time.Minute)
				g.wantAllRun()
				g.wantSaid(1, "catch-up fails")
				g.wantSaid(1, "catch-up works again")
			})
		})
	}
}

// failWhile makes each request fail for a while. A %d in the path of the failure is for each
// build.
func (g *catchUpRig) failWhile(d time.Duration, f jobservtest.Failure) {
	up := g.client.Transport
	begun := time.Now()
	g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
		each := f
		if strings.Contains(f.Path, "%d") {
			each.Path = ""
		}
		if time.Since(begun) < d && (f.Path == "" || !strings.HasSuffix(r.URL.Path, "/builds/")) {
			g.ci.Fail(1, each)
		}
		return up.RoundTrip(r)
	})
}

func TestWhatThePersonMustMendIsSaidOnce(t *testing.T) {
	var forbidden atomic.Bool
	var asked atomic.Int64
	for _, tt := range []struct {
		name       string
		ruin, mend func(g *catchUpRig)
		said       string
	}{
		{"an expired token",
			func(g *catchUpRig) { g.ci.SetToken(webhook.NewSecret("a new token")) },
			func(g *catchUpRig) { g.ci.SetToken(token) }, "status 401"},
		{"a token that may not read",
			func(g *catchUpRig) { forbidden.Store(true) },
			func(g *catchUpRig) { forbidden.Store(false) }, "status 403"},
		{"a project that is gone",
			func(g *catchUpRig) { g.ci.Rename(project, "acme/gone") },
			func(g *catchUpRig) { g.ci.Rename("acme/gone", project) }, "Object does not exist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(3)
				asked.Store(0)
				up := g.client.Transport
				g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					asked.Add(1)
					if forbidden.Load() {
						return webhooktest.InMemory(answering(403, "scope ci:read is missing")).RoundTrip(r)
					}
					return up.RoundTrip(r)
				})
				tt.ruin(g)
				stop := g.run(g.catchUp())
				catchuptest.Advance(2 * time.Hour)
				g.wantSaid(1, tt.said)
				if n := asked.Load(); n < 5 || n > 15 { // after 1, 2, 4, 8, 16 minutes, and then each 30
					t.Errorf("%d requests in two hours, want about 8", n)
				}
				tt.mend(g)
				catchuptest.Advance(time.Hour)
				stop()
				g.wantAllRun()
				g.wantSaid(1, "works again")
			})
		})
	}
}

func TestAnOutageOfTheInboxIsNoticedByTheObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		in := &catchuptest.FlakyInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		c := g.catchUp()
		g.observe = c.Observer()
		defer g.run(c)()
		g.send(3)
		catchuptest.Advance(time.Hour)
		in.SetAll(true)
		for range 10 {
			g.send(1)
			catchuptest.Advance(time.Minute)
		}
		in.SetAll(false)
		catchuptest.Advance(6 * time.Minute)
		g.wantAllRun()
		g.wantSaid(1, "catch-up fails")
	})
}

func TestADamagedCursorIsSaidOnceAndMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.send(2)
		g.missed(3)
		text, err := g.inbox.Cursor(t.Context(), cursorName)
		if err == nil {
			err = g.inbox.SetCursor(t.Context(), cursorName, text, "5 yesterday")
		}
		if err != nil || text == "" {
			t.Fatalf("the cursor is %q, %v", text, err)
		}
		for range 2 {
			stop := g.run(g.catchUp())
			catchuptest.Advance(time.Minute)
			stop()
		}
		g.wantAllRun()
		g.wantSaid(1, "is damaged")
	})
}

func TestTwoProcessesRunNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(30)
		defer g.run(g.catchUp())()
		defer g.run(g.catchUp())()
		catchuptest.Advance(5 * time.Minute)
		g.wantAllRun()
	})
}

func TestWhatWasRemovedIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(2)
		g.ci.Fail(1, jobservtest.Failure{Path: "/projects/acme/app/builds/1/", Cut: true})
		g.ci.Fail(1, jobservtest.Failure{Path: "/projects/acme/app/builds/2/", Cut: true})
		c := g.catchUp()
		defer g.run(c)()
		catchuptest.Advance(time.Second)
		g.ci.AddProject(project) // another one with the name
		catchuptest.Advance(time.Hour)
		if s := c.Status(); s.Lost != 2 || s.Found != 2 || s.Missing != 0 || s.Upto != 0 {
			t.Errorf("status %+v, want 2 lost", s)
		}
		g.wantSaid(1, "begin anew")
		g.wantSaid(2, "a build is lost")
		g.sent = nil
		g.ci.AddProject(project, jobservtest.Hook{URL: "http://receiver/", Secret: webhook.NewSecret("hook secret")})
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(1)
		c.Look()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}
