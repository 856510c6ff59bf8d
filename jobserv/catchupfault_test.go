package jobserv_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
				advance(time.Hour)
				if g.missing() != 5 || c.Status().Err == nil {
					t.Errorf("%d have not run, status %+v", g.missing(), c.Status())
				}
				if n := len(g.ci.Requests()) - before; n < 12 || n > 80 {
					t.Errorf("%d requests in an hour", n)
				}
				advance(6 * time.Minute)
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
	g.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
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
				g.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
					asked.Add(1)
					if forbidden.Load() {
						return webhooktest.InMemory(answering(403, "scope ci:read is missing")).RoundTrip(r)
					}
					return up.RoundTrip(r)
				})
				tt.ruin(g)
				stop := g.run(g.catchUp())
				advance(2 * time.Hour)
				g.wantSaid(1, tt.said)
				if n := asked.Load(); n < 5 || n > 15 { // after 1, 2, 4, 8, 16 minutes, and then each 30
					t.Errorf("%d requests in two hours, want about 8", n)
				}
				tt.mend(g)
				advance(time.Hour)
				stop()
				g.wantAllRun()
				g.wantSaid(1, "works again")
			})
		})
	}
}

// A flakyInbox fails while it is down.
type flakyInbox struct {
	*webhook.MemInbox
	down atomic.Bool
}

var errDown = errors.New("the database is down")

func (in *flakyInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if in.down.Load() {
		return errDown
	}
	return in.MemInbox.Put(ctx, d)
}

func (in *flakyInbox) Cursor(ctx context.Context, name string) (string, error) {
	if in.down.Load() {
		return "", errDown
	}
	return in.MemInbox.Cursor(ctx, name)
}

func TestAnOutageOfTheInboxIsNoticedByTheObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		in := &flakyInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		c := g.catchUp()
		g.observe = c.Observer()
		defer g.run(c)()
		g.send(3)
		advance(time.Hour)
		in.down.Store(true)
		for range 10 {
			g.send(1)
			advance(time.Minute)
		}
		in.down.Store(false)
		advance(6 * time.Minute)
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
			advance(time.Minute)
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
		advance(5 * time.Minute)
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
		advance(time.Second)
		g.ci.AddProject(project) // another one with the name
		advance(time.Hour)
		if s := c.Status(); s.Lost != 2 || s.Found != 2 || s.Missing != 0 || s.Upto != 0 {
			t.Errorf("status %+v, want 2 lost", s)
		}
		g.wantSaid(1, "begin anew")
		g.wantSaid(2, "a build is lost")
		g.sent = nil
		g.ci.AddProject(project, jobservtest.Hook{URL: "http://receiver/", Secret: webhook.NewSecret("hook secret")})
		g.net.set(each(refused))
		g.send(1)
		c.Look()
		advance(time.Minute)
		g.wantAllRun()
	})
}
