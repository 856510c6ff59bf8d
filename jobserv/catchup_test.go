package jobserv_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
)

func TestEveryBuildOfAnOutageRunsOnceWithinAMinute(t *testing.T) {
	for _, ends := range [][]catchuptest.CallEnd{{catchuptest.Refused}, {catchuptest.AnswerLost}, {catchuptest.Proxied}, {catchuptest.Unready}, {catchuptest.Refused, catchuptest.AnswerLost, catchuptest.Unready, catchuptest.Unready, catchuptest.Proxied}} {
		t.Run(fmt.Sprint(ends), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				stop := g.run(g.catchUp())
				g.send(3)
				catchuptest.Advance(time.Minute)
				stop()
				g.net.Set(catchuptest.Each(ends...))
				begun := time.Now()
				for time.Since(begun) < time.Hour {
					g.send(1)
					catchuptest.Advance(80 * time.Second)
				}
				g.net.Set(nil)
				c := g.catchUp()
				defer g.run(c)()
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
				if s := c.Status(); s.Missing != 0 || s.Settled != s.Found || s.Stored != s.Found || s.Lost != 0 || s.Err != nil || s.Upto != int64(len(g.sent)) {
					t.Errorf("status: %+v", s)
				}
				if ends[0] == catchuptest.AnswerLost && len(ends) == 1 && c.Status().Found > 0 {
					t.Errorf("what is stored was missing")
				}
			})
		})
	}
}

func TestTheFirstRunBeginsNowOrAtTheGivenTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		since time.Duration // before now; zero: none
		want  int           // completions that do not run
	}{
		{"now", 0, 10},
		{"at a given time", 26 * time.Minute, 5},
		{"before everything", 2 * time.Hour, 0},
	} {
		for _, ahead := range []time.Duration{0, -5 * time.Hour, 5 * time.Hour} { // the clock of a proxy that sets Date
			t.Run(fmt.Sprint(tt.name, ", ", ahead), func(t *testing.T) {
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
					g.dateIs(ahead)
					stop := g.run(c)
					catchuptest.Advance(time.Minute)
					if n := g.missing(); n != tt.want {
						t.Errorf("%d have not run, want %d\n%s", n, tt.want, g.log.String())
					}
					stop()
					g.net.Set(catchuptest.Each(catchuptest.Refused))
					g.send(1)
					g.net.Set(nil)
					defer g.run(g.catchUp())() // without Since: it goes on
					catchuptest.Advance(time.Minute)
					if n := g.missing(); n != tt.want {
						t.Errorf("later %d have not run, want %d", n, tt.want)
					}
				})
			})
		}
	}
}

// dateIs makes the Date of each answer one of another clock.
func (g *catchUpRig) dateIs(ahead time.Duration) {
	up := g.client.Transport
	g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
		resp, err := up.RoundTrip(r)
		if err == nil {
			resp.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		}
		return resp, err
	})
}

func TestAQuietProjectCostsOneRequestPerLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.send(150)
		catchuptest.Advance(time.Minute)
		c := g.catchUp()
		c.Every = 10 * time.Minute
		defer g.run(c)()
		catchuptest.Advance(5*time.Hour + time.Minute)
		looks := c.Status().Looks
		if looks < 30 || looks > 32 {
			t.Errorf("%d looks in five hours, want one every ten minutes", looks)
		}
		if n := len(g.ci.Requests()); n != looks+2 { // the first one lists three pages
			t.Errorf("%d requests for %d looks", n, looks)
		}
	})
}

func TestWithoutEveryThereAreNoLooksAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		c := g.catchUp()
		defer g.run(c)()
		catchuptest.Advance(24 * time.Hour)
		if n := len(g.ci.Requests()); n != 1 {
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

// A build that runs is not missing. It is followed until it is complete, also when it is not
// among the newest any more.
func TestABuildThatRunsIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		first := []int64{g.start(), g.start(), g.start()}
		stop := g.run(g.catchUp())
		g.send(120)
		catchuptest.Advance(time.Hour)
		stop()
		c := g.catchUp()
		stop = g.run(c)
		catchuptest.Advance(time.Minute)
		if s := c.Status(); s.Found != 0 || s.Running != 3 || s.Upto != 123 {
			t.Errorf("status %+v, want 3 running and nothing found", s)
		}
		stop()
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.finish(first[2])
		g.finish(first[0])
		g.net.Set(nil)
		catchuptest.Advance(time.Minute)
		c = g.catchUp()
		defer g.run(c)()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		if s := c.Status(); s.Found != 2 || s.Running != 1 {
			t.Errorf("status %+v, want 2 found and 1 running", s)
		}
	})
}

func TestARerunIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(3)
		stop := g.run(g.catchUp())
		catchuptest.Advance(time.Minute)
		stop()
		g.wantAllRun()
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.ci.Rerun(project, 2)
		catchuptest.Advance(time.Minute)
		g.finish(2)
		g.net.Set(nil)
		catchuptest.Advance(time.Minute)
		defer g.run(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		if len(g.ran) != 4 {
			t.Errorf("%d completions ran, want 4", len(g.ran))
		}
	})
}
