package jobserv_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
)

// unreadable are the ways in which the detail of a build cannot be read.
var unreadable = map[string]jobservtest.Failure{
	"an error of the server":   {Status: 500, Message: "An unexpected error occurred"},
	"a proxy without a server": {Status: 404},
	"gone":                     {Status: 410},
	"half-written":             {Cut: true},
}

func detail(id int64) string { return fmt.Sprintf("/projects/acme/app/builds/%d/", id) }

// asked returns how often the detail of a build was asked for.
func (g *catchUpRig) asked(id int64) (n int) {
	for _, r := range g.ci.Requests() {
		if r.Path == detail(id) {
			n++
		}
	}
	return n
}

// A build that cannot be read holds up no other, and stays open.
func TestABuildThatCannotBeReadHoldsUpNoOthers(t *testing.T) {
	for name, f := range unreadable {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(8)
				f.Path = detail(3)
				g.ci.Fail(20, f)
				c := g.catchUp()
				stop := g.run(c)
				catchuptest.Advance(time.Minute - time.Second)
				if s := c.Status(); g.missing() != 1 || s.Missing != 1 || s.Upto != 8 || s.Err != nil {
					t.Errorf("%d have not run, status %+v, want the one that cannot be read", g.missing(), s)
				}
				g.wantSaid(1, "cannot be read")
				stop()
				g.send(60) // it is not among the newest any more
				defer g.run(g.catchUp())()
				catchuptest.Advance(24 * time.Hour)
				g.wantAllRun()
				g.wantSaid(2, "cannot be read") // once by each process
				g.wantSaid(0, "is lost")
				g.wantSaid(0, "catch-up fails")
				if n := g.asked(3); n != 22 { // it is read once as an open build, and then as a missing one
					t.Errorf("it was asked for %d times, want 22", n)
				}
			})
		})
	}
}

// A build that JobServ does not know at one time is still missing, if it is listed.
func TestAListedBuildThatIsNotFoundIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(8)
		g.ci.Fail(1, jobservtest.Failure{Path: detail(3), Status: 404, Message: "Object does not exist"})
		defer g.run(g.catchUp())()
		catchuptest.Advance(2 * time.Minute)
		g.wantAllRun()
		g.wantSaid(1, "cannot be read")
		g.wantSaid(0, "is lost")
	})
}

// Builds that are not listed any more and cannot be read hold up nothing: no newer ones, no
// look and no interval. They are tried again with growing waits, and given up.
func TestOlderBuildsThatCannotBeReadDelayNothing(t *testing.T) {
	for name, f := range unreadable {
		for _, bad := range []int64{1, 6} { // of which one, or more than maxServerErrors
			t.Run(fmt.Sprint(name, ", ", bad), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := newCatchUpRig(t)
					for range bad {
						g.start()
					}
					stop := g.run(g.catchUp())
					g.send(60)
					catchuptest.Advance(time.Minute)
					stop()
					for id := range bad {
						f.Path = detail(id + 1)
						g.ci.Fail(500, f)
					}
					c := g.catchUp()
					c.Every = 10 * time.Minute
					defer g.run(c)()
					g.net.Set(catchuptest.Each(catchuptest.Proxied))
					for range 12 {
						g.send(1)
						catchuptest.Advance(10 * time.Minute)
						if n := g.missing(); n > 1 { // one may have ended after the look
							t.Errorf("%d have not run\n%s", n, g.log.String())
						}
					}
					if looks := c.Status().Looks; looks < 12 {
						t.Errorf("%d looks in two hours, want one each ten minutes", looks)
					}
					g.net.Set(nil)
					catchuptest.Advance(10 * time.Minute)
					g.wantAllRun()
					if said := strings.Count(g.log.String(), "cannot be read, and is tried again"); said > int(bad) || said+strings.Count(g.log.String(), "catch-up fails") == 0 {
						t.Errorf("it was said %d times:\n%s", said, g.log.String())
					}
					if said := strings.Count(g.log.String(), "catch-up fails"); said > 1 {
						t.Errorf("that it fails was said %d times", said)
					}
				})
			})
		}
	}
}

func TestABuildThatCannotBeReadStretchesNoInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(3)
		g.ci.Fail(500, jobservtest.Failure{Path: detail(2), Status: 410})
		c := g.catchUp()
		c.Every = 5 * time.Minute
		defer g.run(c)()
		catchuptest.Advance(10 * time.Hour)
		looks, asked := c.Status().Looks, g.asked(2)
		if looks < 120 || looks > 160 || asked < 20 || asked > 30 {
			t.Errorf("%d looks and %d tries in ten hours, want one each five minutes and one each half hour", looks, asked)
		}
		g.net.Set(catchuptest.Each(catchuptest.Proxied))
		g.send(1)
		g.net.Set(nil)
		c.Look()
		catchuptest.Advance(30 * time.Second)
		if n := g.missing(); n != 1 {
			t.Errorf("%d have not run, want the one that cannot be read", n)
		}
	})
}

func TestABuildThatCannotBeReadIsGivenUpAtMaxAge(t *testing.T) {
	for name, known := range map[string]bool{"in the process that found it": true, "in a later one": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(3)
				g.ci.Fail(500, jobservtest.Failure{Path: detail(2), Status: 410})
				var c *jobserv.CatchUp
				run := func() (stop func()) {
					c = g.catchUp()
					c.Every, c.MaxAge = time.Hour, 48*time.Hour
					return g.run(c)
				}
				stop := run()
				catchuptest.Advance(time.Minute)
				g.send(60) // it is not among the newest any more
				if !known {
					stop()
					stop = run()
				}
				catchuptest.Advance(24 * time.Hour)
				if n := g.asked(2); n < 45 || n > 60 {
					t.Errorf("it was asked for %d times in a day, want about one each half hour", n)
				}
				if s := c.Status(); s.Lost != 0 || g.missing() != 1 {
					t.Errorf("status %+v, want nothing lost in a day", s)
				}
				catchuptest.Advance(26 * time.Hour)
				asked := g.asked(2)
				catchuptest.Advance(72 * time.Hour)
				stop()
				if s := c.Status(); s.Lost != 1 || s.Missing != 0 || s.Running != 0 || s.Found != s.Lost+s.Settled {
					t.Errorf("status %+v, want one lost", s)
				}
				g.wantSaid(1, "a build is lost")
				if n := g.asked(2); n != asked {
					t.Errorf("it was asked for %d times after it was given up", n-asked)
				}
			})
		})
	}
}

// The server fails for several builds, again and again, and not for the others.
func TestManyBuildsThatCannotBeReadDelayNoOthers(t *testing.T) {
	for name, older := range map[string]bool{"missing": false, "running and older": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				for id := range int64(7) {
					g.ci.Fail(500, jobservtest.Failure{Path: detail(id + 1), Status: 500, Message: "An unexpected error occurred"})
				}
				want := 7
				if older {
					for range 9 {
						g.start()
					}
					stop := g.run(g.catchUp())
					g.send(60)
					catchuptest.Advance(time.Minute)
					stop()
					g.net.Set(catchuptest.Each(catchuptest.Refused))
					g.finish(9)
					g.finish(8)
					g.net.Set(nil)
					catchuptest.Advance(time.Minute)
					want = 0
				} else {
					g.missed(20)
				}
				c := g.catchUp()
				defer g.run(c)()
				catchuptest.Advance(5 * time.Minute)
				if n := g.missing(); n != want {
					t.Errorf("%d have not run, want %d\n%s", n, want, g.log.String())
				}
				catchuptest.Advance(5 * time.Hour)
				for _, text := range []string{"catch-up fails", "works again"} {
					if n := strings.Count(g.log.String(), text); n > 1 {
						t.Errorf("%q was said %d times", text, n)
					}
				}
				if n := strings.Count(g.log.String(), "cannot be read, and"); n > 7 {
					t.Errorf("that a build cannot be read was said %d times", n)
				}
				g.wantSaid(0, "is lost")
			})
		})
	}
}
