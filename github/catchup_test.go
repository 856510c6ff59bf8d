package github_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
)

// outage sends events while the receiver runs, and then for an hour in which it does not.
func (g *catchUpRig) outage(c *github.CatchUp, n int, ends ...catchuptest.CallEnd) {
	g.t.Helper()
	stop := g.start(c)
	g.send(3)
	catchuptest.Advance(time.Minute)
	stop()
	g.net.Set(catchuptest.Each(ends...))
	for range n {
		g.send(1)
		catchuptest.Advance(time.Hour / time.Duration(n))
	}
	g.net.Set(nil)
}

func TestEveryEventOfAnOutageRunsOnceWithinAMinute(t *testing.T) {
	for how, readAPI := range map[string]bool{"by redelivery": false, "by the API": true} {
		for _, ends := range [][]catchuptest.CallEnd{{catchuptest.Refused}, {catchuptest.AnswerLost}, {catchuptest.Proxied}, {catchuptest.Unready}, {catchuptest.Refused, catchuptest.AnswerLost, catchuptest.Proxied, catchuptest.Unready}} {
			t.Run(fmt.Sprint(how, " ", ends), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newCatchUpRig(t)
					g.outage(g.catchUp(), 40, ends...)
					c := g.catchUp()
					c.ReadAPI = readAPI
					defer g.start(c)()
					catchuptest.Advance(time.Minute)
					g.wantAllRun()
					if s := c.Status(); s.Missing != 0 || s.Settled != s.Found || s.Lost != 0 || s.Err != nil {
						t.Errorf("status: %+v", s)
					}
					if ends[0] == catchuptest.AnswerLost && len(ends) == 1 && g.requests("POST", 202) > 0 {
						t.Errorf("what is stored was asked for again")
					}
				})
			})
		}
	}
}

func TestTheFirstRunBeginsNowOrAtTheGivenTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		since time.Duration // before now; zero: none
		want  int           // events that do not run
	}{
		{"now", 0, 10},
		{"at a given time", 25 * time.Minute, 5},
		{"before everything", time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.net.Set(catchuptest.Each(catchuptest.Refused))
				for range 10 {
					g.send(1)
					catchuptest.Advance(5 * time.Minute)
				}
				g.net.Set(nil)
				c := g.catchUp()
				if tt.since > 0 {
					c.Since = time.Now().Add(-tt.since)
				}
				stop := g.start(c)
				catchuptest.Advance(time.Minute)
				if n := g.missing(); n != tt.want {
					t.Errorf("%d events have not run, want %d", n, tt.want)
				}
				stop()
				g.net.Set(catchuptest.Each(catchuptest.Refused))
				g.send(1)
				g.net.Set(nil)
				defer g.start(g.catchUp())() // without Since: it goes on
				catchuptest.Advance(time.Minute)
				if n := g.missing(); n != tt.want {
					t.Errorf("later %d events have not run, want %d", n, tt.want)
				}
			})
		})
	}
}

func TestAQuietHookCostsOneConditionalRequestPerLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.send(150)
		catchuptest.Advance(time.Minute)
		c := g.catchUp()
		c.Every = 10 * time.Minute
		defer g.start(c)()
		catchuptest.Advance(5*time.Hour + time.Minute)
		looks := c.Status().Looks
		if looks < 30 || looks > 32 {
			t.Errorf("%d looks in five hours, want one every ten minutes", looks)
		}
		if full, cheap := g.requests("GET", 200), g.requests("GET", 304); full != 1 || cheap != looks-1 {
			t.Errorf("%d requests were answered 200 and %d 304, want 1 and %d", full, cheap, looks-1)
		}
	})
}

func TestWithoutEveryThereAreNoLooksAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(24 * time.Hour)
		if n := len(g.gh.Requests()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
		g.net.Set(catchuptest.Each(catchuptest.Proxied))
		g.send(2)
		g.net.Set(nil)
		c.Look()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

func TestIntervalsOfManyHooksAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		const hooks = 200
		for n := range hooks {
			c := g.catchUpOf(int64(n + 1))
			c.Every = 10 * time.Minute
			defer g.start(c)()
		}
		catchuptest.Advance(25 * time.Minute)
		perMinute := make(map[int64]int)
		for _, r := range g.gh.Requests() {
			if at := r.At.Unix() / 60; r.Status == 304 {
				perMinute[at]++
			}
		}
		for at, n := range perMinute {
			if n > hooks/10*2 {
				t.Errorf("%d looks in minute %d, want about %d", n, at, hooks/10)
			}
		}
		if len(perMinute) < 20 {
			t.Errorf("looks in %d minutes of 25", len(perMinute))
		}
	})
}
