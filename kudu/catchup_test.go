package kudu_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// forBoth runs a test of deployments and of runs in fake time.
func forBoth(t *testing.T, f func(t *testing.T, g *catchUpRig)) {
	for _, target := range []kudu.Target{kudu.Deployments(), kudu.TriggeredJob("nightly")} {
		t.Run(target.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, newCatchUpRig(t, target)) })
		})
	}
}

// missed makes n events that nobody received, after a catch-up has run.
func (g *catchUpRig) missed(n int) {
	g.t.Helper()
	g.send(1)
	stop := g.start(g.catchUp())
	catchuptest.Advance(time.Minute)
	stop()
	g.net.Set(catchuptest.Each(catchuptest.Refused, catchuptest.Proxied))
	g.send(n)
	g.net.Set(nil)
}

func TestEveryEventOfAnOutageRunsOnceWithinAMinute(t *testing.T) {
	for _, ends := range [][]catchuptest.CallEnd{{catchuptest.Refused}, {catchuptest.AnswerLost}, {catchuptest.Proxied}, {catchuptest.Unready}, {catchuptest.Refused, catchuptest.AnswerLost, catchuptest.Proxied, catchuptest.Unready}} {
		t.Run(fmt.Sprint(ends), func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *catchUpRig) {
				g.missed(3)
				g.net.Set(catchuptest.Each(ends...))
				for range 120 {
					g.send(1)
					catchuptest.Advance(30 * time.Second)
				}
				g.net.Set(nil)
				c := g.catchUp()
				defer g.start(c)()
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
				if s := c.Status(); s.Missing != 0 || s.Settled != s.Found || s.Stored != s.Found || s.Lost != 0 || s.Err != nil || s.Upto.IsZero() {
					t.Errorf("status: %+v", s)
				}
				g.wantSaid(0, "catch-up fails")
			})
		})
	}
}

// Kudu keeps ten deployments that succeeded, and of those that never did the last one.
func TestWhatKuduHasKeptOfAnOutageRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.site.Keep = 0
		g.missed(1)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		for n := range 40 {
			d := g.deployment(fmt.Sprint("new", n), kudu.StatusSuccess)
			if n%4 == 3 {
				d.Status, d.LastSuccessEndTime = kudu.StatusFailed, kudu.Deployment{}.EndTime
			}
			g.deploy(d)
			catchuptest.Advance(time.Minute)
		}
		g.net.Set(nil)
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		if n := len(g.site.Deployments()); n != 11 || len(g.ran) != 12 {
			t.Errorf("the site lists %d deployments, want 11, and %d ran, want 12", n, len(g.ran))
		}
	})
}

func TestTheFirstRunBeginsNowOrAtTheGivenTime(t *testing.T) {
	for _, tt := range []struct {
		name         string
		since, ahead time.Duration // since is before now, zero: none
		want         int           // events that do not run
	}{
		{"now", 0, 0, 10},
		{"now, and the site's clock is ahead", 0, 5 * time.Hour, 10},
		{"now, and the site's clock is behind", 0, -5 * time.Hour, 10},
		{"at a given time", 25 * time.Minute, 0, 5},
		{"before everything", time.Hour, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *catchUpRig) {
				g.ahead = tt.ahead
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
				defer g.start(g.catchUp())()
				catchuptest.Advance(time.Minute)
				if n := g.missing(); n != tt.want {
					t.Errorf("%d events have not run after the next run, want %d", n, tt.want)
				}
			})
		})
	}
}

func TestAQuietTargetCostsOneConditionalRequest(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(3)
		c := g.catchUp()
		c.Every = 10 * time.Minute
		before := len(g.site.Calls())
		defer g.start(c)()
		catchuptest.Advance(10 * time.Hour)
		g.wantAllRun()
		if all, same := len(g.site.Calls())-before, g.looks(http.StatusNotModified); same < 59 || all-same != 1 {
			t.Errorf("%d requests, %d of them answered 304, want all but the first", all, same)
		}
		g.net.Set(catchuptest.Each(catchuptest.Proxied))
		g.send(1)
		g.net.Set(nil)
		catchuptest.Advance(11 * time.Minute)
		g.wantAllRun()
		if n := c.Status().Looks; n < 60 {
			t.Errorf("%d looks", n)
		}
	})
}

// What is in progress has not ended, and is found when it has.
func TestADeploymentInProgressIsNotMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.missed(1)
		c := g.catchUp()
		c.Every = time.Minute
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		again := g.deployment("commit0", kudu.StatusPending) // a redeployment that begins
		for _, status := range []kudu.Status{kudu.StatusPending, kudu.StatusBuilding, kudu.StatusDeploying} {
			again.Status, again.Complete = status, status == kudu.StatusPending
			g.site.Record(again)
			catchuptest.Advance(2 * time.Minute)
		}
		if n := g.looks(http.StatusOK); n < 8 {
			t.Errorf("%d looks read the list while a deployment is in progress", n)
		}
		g.wantSaid(1, "calls are missing")
		again.Status, again.Complete = kudu.StatusSuccess, true
		g.site.Record(again) // the call is lost
		g.note(again.ID, again.EndTime)
		catchuptest.Advance(2 * time.Minute)
		g.wantAllRun()
		g.wantSaid(2, "calls are missing")
		if len(g.ran) != 3 {
			t.Errorf("%v ran, want both deployments of commit0 and the other", g.ran)
		}
	})
}

// After a swap the site lists the deployments of the other slot, of which that one has called.
func TestDeploymentsOfASwappedSlotRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.missed(1)
		c := g.catchUp()
		c.Every = time.Minute
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		d := g.deployment("9f2c", kudu.StatusSuccess)
		d.HostName = "app-staging.scm.example"
		g.deploy(d)
		catchuptest.Advance(5 * time.Minute)
		g.wantAllRun()
		if s := c.Status(); s.Found != 1 {
			t.Errorf("%d were found missing, want 1", s.Found)
		}
	})
}

func TestRunsOfASwappedSlotRunOnceIfItsHostIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.TriggeredJob("nightly"))
		g.missed(1)
		run := g.run("app-staging.scm.example")
		g.note(run.ID, run.EndTime)
		_, err := g.site.FinishJob(t.Context(), run)
		g.check(err)
		c := g.catchUp()
		c.Hosts = []string{appHost, "APP-staging.scm.example"}
		defer g.start(c)()
		catchuptest.Advance(5 * time.Minute)
		g.wantAllRun()
	})
}

func TestRunReturnsTheErrorsOfItsSettings(t *testing.T) {
	inbox := new(webhook.MemInbox)
	for name, change := range map[string]func(c *kudu.CatchUp) *kudu.CatchUp{
		"Every is 59s":  func(c *kudu.CatchUp) *kudu.CatchUp { c.Every = 59 * time.Second; return c },
		"MaxAge is -1s": func(c *kudu.CatchUp) *kudu.CatchUp { c.MaxAge = -time.Second; return c },
		"invalid hook":  func(c *kudu.CatchUp) *kudu.CatchUp { c.Hook.URL = "s3cret"; return c },
		"no name of a WebJob": func(*kudu.CatchUp) *kudu.CatchUp {
			return kudu.NewCatchUp(newClient(scm, nil), kudu.TriggeredJob(".."), source(), inbox)
		},
		"no dedup key": func(*kudu.CatchUp) *kudu.CatchUp {
			src := source()
			src.Describe = nil
			return kudu.NewCatchUp(newClient(scm, nil), kudu.Deployments(), src, inbox)
		},
		"over 255": func(*kudu.CatchUp) *kudu.CatchUp {
			return kudu.NewCatchUp(newClient(scm, nil), kudu.TriggeredJob(strings.Repeat("j", 250)), source(), inbox)
		},
	} {
		c := change(kudu.NewCatchUp(newClient(scm, nil), kudu.Deployments(), source(), inbox))
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
