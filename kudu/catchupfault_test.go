package kudu_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

// failFor makes the site answer with f for a while.
func (g *catchUpRig) failFor(d time.Duration, f kudutest.Failure) {
	up, begun := g.client.Transport, time.Now()
	g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
		if time.Since(begun) < d {
			g.site.Fail(1, f)
		}
		return up.RoundTrip(r)
	})
}

func TestASiteThatFailsForAnHourIsTriedAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		failure     kudutest.Failure
		least, most int // requests in the hour
		err         error
	}{
		"a server error":              {kudutest.Failure{Status: 502}, 12, 30, kudu.ErrServer},
		"a site that restarts":        {kudutest.Failure{Status: 503, Body: "<html>The site restarts.</html>"}, 12, 30, kudu.ErrServer},
		"a redirect to a sign-in":     {kudutest.Failure{Status: 302}, 3, 8, kudu.ErrDenied},
		"a sign-in page":              {kudutest.Failure{Body: "<html>Please sign in.</html>"}, 12, 30, kudu.ErrAnswer},
		"expired credentials":         {kudutest.Failure{Status: 401}, 3, 8, kudu.ErrDenied},
		"a site that is stopped":      {kudutest.Failure{Status: 403, Body: "<html>This web app is stopped.</html>"}, 3, 8, kudu.ErrDenied},
		"a half-written list":         {kudutest.Failure{Cut: true}, 12, 30, kudu.ErrAnswer},
		"null":                        {kudutest.Failure{Body: "null"}, 12, 30, kudu.ErrAnswer},
		"a list of 10 MB":             {kudutest.Failure{Body: "[" + strings.Repeat(" ", 10<<20) + "]"}, 3, 8, kudu.ErrTooLarge},
		"too many requests":           {kudutest.Failure{Status: 429}, 12, 30, kudu.ErrRateLimited},
		"too many requests, a minute": {kudutest.Failure{Status: 429, RetryAfter: time.Minute}, 60, 60, kudu.ErrRateLimited},
		"denied for a second":         {kudutest.Failure{Status: 403, RetryAfter: time.Second}, 3, 8, kudu.ErrDenied},
		"busy for a second":           {kudutest.Failure{Status: 503, RetryAfter: time.Second}, 12, 720, kudu.ErrServer},
		"busy for ten minutes":        {kudutest.Failure{Status: 503, RetryAfter: 10 * time.Minute}, 6, 6, kudu.ErrServer},
	} {
		t.Run(name, func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *catchUpRig) {
				g.missed(5)
				g.failFor(time.Hour, tc.failure)
				before := len(g.site.Calls())
				c := g.catchUp()
				defer g.start(c)()
				catchuptest.Advance(time.Hour - time.Second)
				if g.missing() != 5 || !errors.Is(c.Status().Err, tc.err) {
					t.Errorf("%d have not run, status %+v", g.missing(), c.Status())
				}
				if n := len(g.site.Calls()) - before; n < tc.least || n > tc.most {
					t.Errorf("%d requests in an hour, want %d to %d", n, tc.least, tc.most)
				}
				catchuptest.Advance(31 * time.Minute)
				g.wantAllRun()
				g.wantSaid(1, "catch-up fails")
				g.wantSaid(1, "catch-up works again")
			})
		})
	}
}

// The first look fails for an hour: what ended in it had not ended when Run began.
func TestAFirstRunThatFailsBeginsWhenItBegan(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(3)
		catchuptest.Advance(time.Minute)
		g.failFor(time.Hour, kudutest.Failure{Status: 503})
		defer g.start(g.catchUp())()
		catchuptest.Advance(30 * time.Minute)
		g.send(4)
		catchuptest.Advance(time.Hour)
		if n := g.missing(); n != 3 {
			t.Errorf("%d have not run, want the 3 that had ended before", n)
		}
	})
}

func TestAJobWithoutHistoryIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.TriggeredJob("nightly"))
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		if err := c.Status().Err; !errors.Is(err, kudu.ErrJobNotFound) {
			t.Errorf("got %v, want ErrJobNotFound", err)
		}
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(1) // its first run
		catchuptest.Advance(time.Hour)
		g.wantAllRun()
		g.wantSaid(1, "catch-up fails")
	})
}

// An entry that cannot be read holds up no other, and is tried again.
func TestAnEntryThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(3)
		odd := `{"id":"odd","status":"Success","complete":7,"end_time":[]}`
		text := `[` + odd + `,{"id":"fine","status":4,"complete":true,"end_time":"2026-03-04T05:06:07Z","site_name":"app"}]`
		if g.target != kudu.Deployments() {
			text = `{"runs":[` + odd + `,{"id":"fine","status":"Success","end_time":"2026-03-04T05:06:07Z"}]}`
		}
		c := g.catchUp()
		c.Since = time.Unix(1, 0)
		g.failFor(10*time.Minute, kudutest.Failure{Body: text})
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		g.wantAllRun()
		g.wantSaid(1, "catch-up fails")
		g.wantSaid(1, "1 of 2 entries cannot be read")
	})
}

func TestAnOutageOfTheInboxIsNoticedByTheObserver(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		in := &catchuptest.FlakyInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		g.send(1)
		c := g.catchUp()
		g.observe = c.Observer()
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		in.PutDown.Store(true)
		for range 10 {
			g.send(1)
			catchuptest.Advance(time.Minute)
		}
		in.PutDown.Store(false)
		catchuptest.Advance(6 * time.Minute)
		g.wantAllRun()
		g.wantSaid(1, "catch-up fails")
	})
}

func TestWhatVanishesBeforeItIsStoredIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		in := &catchuptest.FlakyInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		g.missed(3)
		in.PutDown.Store(true)
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		g.site.RemoveDeployment("commit2")
		in.PutDown.Store(false)
		catchuptest.Advance(6 * time.Minute)
		g.wantAllRun()
		if s := c.Status(); s.Found != 3 || s.Settled != 2 || s.Lost != 1 || s.Missing != 0 {
			t.Errorf("status %+v, want one lost", s)
		}
		g.wantSaid(1, "is lost")
	})
}

// A Describe of the program's own finds no dedup key.
func TestWhatTheSourceRefusesHoldsUpNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		g.missed(8)
		src := source()
		describe := src.Describe
		src.Describe = func(r *http.Request, body []byte) webhook.Description {
			about := describe(r, body)
			if strings.Contains(string(body), `commit5"`) {
				about.DedupKeys = []string{}
			}
			return about
		}
		c := kudu.NewCatchUp(g.client, g.target, src, g.inbox)
		c.Logger = g.log.Logger()
		stop := g.start(c)
		catchuptest.Advance(time.Hour)
		stop()
		if n := g.missing(); n != 1 {
			t.Errorf("%d have not run, want one", n)
		}
		g.wantSaid(1, "cannot be stored")
		g.wantSaid(0, "catch-up fails")
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

// A refusingInbox refuses for good one delivery that a catch-up puts.
type refusingInbox struct {
	*webhook.MemInbox
	refuse atomic.Bool
}

func (in *refusingInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if in.refuse.Load() && d.Unsigned != "" && strings.Contains(string(d.Body), `commit5"`) {
		return webhook.Permanent(errors.New("too large"))
	}
	return in.MemInbox.Put(ctx, d)
}

func TestWhatTheInboxRefusesHoldsUpNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		in := &refusingInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		in.refuse.Store(true)
		g.missed(8)
		stop := g.start(g.catchUp())
		catchuptest.Advance(50 * time.Hour)
		if n := g.missing(); n != 1 {
			t.Errorf("%d have not run, want one", n)
		}
		g.wantSaid(1, "cannot be stored")
		stop()
		in.refuse.Store(false)
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}
