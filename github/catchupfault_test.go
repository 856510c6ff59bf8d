package github_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

// missed makes n events that nobody received, after a catch-up has run.
func (g *catchUpRig) missed(n int) {
	g.t.Helper()
	stop := g.start(g.catchUp())
	catchuptest.Advance(time.Minute)
	stop()
	g.net.Set(catchuptest.Each(catchuptest.Refused))
	g.send(n)
	g.net.Set(nil)
}

// wantSaid requires that a text was logged n times.
func (g *catchUpRig) wantSaid(n int, text string) {
	g.t.Helper()
	if got := g.log.Count(text); got != n {
		g.t.Errorf("%q was logged %d times, want %d:\n%s", text, got, n, g.log.String())
	}
}

func TestAnAPIThatFailsForAnHourIsTriedAgain(t *testing.T) {
	for name, f := range map[string]githubtest.Failure{
		"a server error":      {Status: 502},
		"a proxy's redirect":  {Status: 302},
		"a half-written page": {Cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(5)
				up := g.client.Transport
				begun := time.Now()
				g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					if time.Since(begun) < time.Hour {
						g.gh.Fail(1, f)
					}
					return up.RoundTrip(r)
				})
				c := g.catchUp()
				defer g.start(c)()
				catchuptest.Advance(time.Hour)
				if g.missing() != 5 || c.Status().Err == nil {
					t.Errorf("%d have not run, status %+v", g.missing(), c.Status())
				}
				before := len(g.gh.Requests())
				if before < 12 || before > 30 {
					t.Errorf("%d requests in an hour", before)
				}
				catchuptest.Advance(6 * time.Minute)
				g.wantAllRun()
				g.wantSaid(1, "catch-up fails")
				g.wantSaid(1, "catch-up works again")
			})
		})
	}
}

func TestRateLimitsAreRespected(t *testing.T) {
	for _, tt := range []struct {
		name    string
		failure githubtest.Failure
		wait    time.Duration
	}{
		{"a secondary one with Retry-After", githubtest.Failure{Status: 403, RetryAfter: 100 * time.Second, Message: "You have exceeded a secondary rate limit."}, 100 * time.Second},
		{"too many requests", githubtest.Failure{Status: 429, RetryAfter: 30 * time.Second}, 30 * time.Second},
		{"a secondary one without a time", githubtest.Failure{Status: 403, Message: "You have exceeded a secondary rate limit."}, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(3)
				before := len(g.gh.Requests())
				g.gh.Fail(1, tt.failure)
				defer g.start(g.catchUp())()
				catchuptest.Advance(tt.wait - time.Second)
				if n := len(g.gh.Requests()) - before; n != 1 {
					t.Errorf("%d requests before the limit ends, want 1", n)
				}
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
			})
		})
	}
}

// The server's clock is five hours behind, and the limit ends by that clock.
func TestThePrimaryLimitEndsByTheServersClock(t *testing.T) {
	for _, ahead := range []time.Duration{-5 * time.Hour, 0, 5 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.gh.Now = func() time.Time { return time.Now().Add(ahead) }
				g.gh.RateLimit = 20
				g.missed(40)
				defer g.start(g.catchUp())()
				catchuptest.Advance(50 * time.Minute)
				if n := g.missing(); n < 20 || n > 24 {
					t.Errorf("%d have not run in the first hour of the limit, want about 22", n)
				}
				catchuptest.Advance(3 * time.Hour)
				g.wantAllRun()
				if n := g.requests("GET", 403) + g.requests("POST", 403); n > 0 {
					t.Errorf("%d requests were made beyond the limit", n)
				}
			})
		})
	}
}

func TestTwoProcessesRunNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(30)
		defer g.start(g.catchUp())()
		defer g.start(g.catchUp())()
		catchuptest.Advance(5 * time.Minute)
		g.wantAllRun()
	})
}

func TestAnOutageOfTheInboxIsNoticedByTheObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		in := &catchuptest.FlakyInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		c := g.catchUp()
		g.observe = c.Observer()
		defer g.start(c)()
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

func TestWhatGitHubDoesNotListAnyMoreIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(2)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		c := g.catchUp()
		stop := g.start(c)
		catchuptest.Advance(24 * time.Hour)
		if n := g.requests("POST", 202); n > 300 {
			t.Errorf("%d redeliveries in a day", n)
		}
		g.gh.RemoveDeliveries(hookPath)
		catchuptest.Advance(time.Hour)
		stop()
		if s := c.Status(); s.Lost != 2 || s.Found != 2 || s.Missing != 0 {
			t.Errorf("status %+v, want 2 lost", s)
		}
		g.wantSaid(2, "a delivery is lost")
	})
}

// Some that cannot be had hold up no others, and keep the cursor back.
func TestADeliveryThatNeverArrivesHoldsUpNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(8)
		never := make(map[string]bool)
		for _, guid := range g.sent {
			never[guid] = true
		}
		up := g.gh.Transport
		g.gh.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if never[r.Header.Get(github.DeliveryHeader)] {
				return nil, errors.New("too large for the proxy")
			}
			return up.RoundTrip(r)
		})
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(3 * time.Hour)
		upto := c.Status().Upto
		g.net.Set(catchuptest.Each(catchuptest.Proxied))
		g.send(20)
		g.net.Set(nil)
		catchuptest.Advance(time.Hour)
		if n := g.missing(); n != 8 {
			t.Errorf("%d have not run, want the 8 that cannot", n)
		}
		if s := c.Status(); s.Upto != upto || s.Missing != 8 {
			t.Errorf("status %+v, want the cursor at %v", s, upto)
		}
	})
}
