package kudu_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A schedule is what happens in a random test.
type schedule struct {
	*catchUpRig
	*catchuptest.Random
}

// newSchedule returns one of deployments or of runs.
func newSchedule(t *testing.T, seed uint64) *schedule {
	target := kudu.Deployments()
	if seed%2 == 1 {
		target = kudu.TriggeredJob("nightly")
	}
	s := &schedule{catchUpRig: newCatchUpRig(t, target), Random: catchuptest.NewRandom(seed)}
	s.inbox = slowInbox{s.inbox.(*webhook.MemInbox), s}
	return s
}

// A slowInbox takes time to put what a catch-up has found.
type slowInbox struct {
	*webhook.MemInbox
	s *schedule
}

func (in slowInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.Unsigned != "" {
		in.s.Sleep(500 * time.Millisecond)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return in.MemInbox.Put(ctx, d)
}

// sendAny makes the site send an event, or deploy again what it has deployed.
func (s *schedule) sendAny() {
	if deployments := s.site.Deployments(); s.target == kudu.Deployments() && len(deployments) > 0 && s.IntN(4) == 0 {
		s.deploy(s.deployment(deployments[s.IntN(len(deployments))].ID, kudu.StatusSuccess))
		return
	}
	s.send(1)
}

// outage has an hour without a receiver under load.
func (s *schedule) outage() {
	stop := s.start(s.catchUp())
	s.send(2)
	catchuptest.Advance(time.Minute)
	stop()
	ends := []catchuptest.CallEnd{catchuptest.Passed, catchuptest.Refused, catchuptest.AnswerLost, catchuptest.Proxied, catchuptest.Unready}
	s.net.Set(func() catchuptest.CallEnd { return ends[s.IntN(len(ends))] })
	for range 20 + s.IntN(100) {
		s.sendAny()
		s.Sleep(time.Minute)
	}
}

// chaos has a time in which the catch-up is ended at random times, the site fails, and other
// events arrive.
func (s *schedule) chaos() {
	failures := []kudutest.Failure{
		{Status: 503, Body: "<html>The site restarts.</html>"}, {Body: "<html>Please sign in.</html>"}, {Status: 502},
		{Status: 429, RetryAfter: 20 * time.Second}, {Cut: true}, {Status: 401}, {Status: 404},
	}
	s.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
		s.Sleep(2 * time.Second)
		return webhooktest.InMemory(s.site).RoundTrip(r)
	})
	for range 8 {
		if s.IntN(2) == 0 { // in the others Kudu still cannot reach the receiver
			s.net.Set(nil)
		}
		s.site.Fail(s.IntN(3), failures[s.IntN(len(failures))])
		if s.IntN(3) == 0 {
			s.ahead += time.Duration(s.IntN(8)-4) * time.Hour
		}
		stop := s.start(s.catchUp())
		s.Sleep(30 * time.Second)
		for range s.IntN(3) {
			s.sendAny()
		}
		s.Sleep(30 * time.Second)
		stop()
	}
	s.net.Set(nil)
}

func TestEveryEventRunsOnceInARandomSchedule(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, seed)
				s.outage()
				wait := time.Minute
				if seed%4 >= 2 {
					s.chaos()
					wait = 12 * time.Hour
				}
				s.net.Set(nil)
				defer s.start(s.catchUp())()
				catchuptest.Advance(wait)
				s.wantAllRun()
			})
		})
	}
}

// aheadInbox keeps the progress before the put: it sets a cursor to the present.
type aheadInbox struct {
	slowInbox
	now func() time.Time
}

func (in aheadInbox) SetCursor(ctx context.Context, name, from, to string) error {
	now := in.now().UTC().Format(time.RFC3339Nano)
	_, marks, _ := strings.Cut(to, " ")
	_, marks, _ = strings.Cut(marks, " ")
	return in.slowInbox.SetCursor(ctx, name, from, now+" "+now+" "+marks)
}

func TestProgressThatIsKeptBeforeThePutLosesEvents(t *testing.T) {
	lost := 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed)
			s.inbox = aheadInbox{s.inbox.(slowInbox), s.site.Now}
			s.outage()
			s.chaos()
			defer s.start(s.catchUp())()
			catchuptest.Advance(12 * time.Hour)
			lost += s.missing()
		})
	}
	if lost == 0 {
		t.Error("nothing was lost: the random schedules would not notice it")
	}
}

func TestACallAndItsCatchUpAtTheSameInstantRunOnce(t *testing.T) {
	const events = 1000
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(events)
		calls := make(map[string][]byte)
		for _, d := range g.site.Deliveries() {
			var body struct{ ID string }
			g.check(json.Unmarshal(d.Body, &body))
			calls[body.ID] = d.Body
		}
		sender := webhooktest.Kudu{Transport: g.net}
		g.inbox = catchuptest.BesideInbox{MemInbox: g.inbox.(*webhook.MemInbox), Call: func(d *webhook.Delivery) {
			var body struct{ ID string }
			g.check(json.Unmarshal(d.Body, &body))
			sender.Deliver(context.Background(), receiverURL, calls[body.ID])
		}}
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		g.wantAllRun()
		if s := c.Status(); s.Found != events || s.Settled != events || s.Missing != 0 {
			t.Errorf("status: %+v, want %d found and settled", s, events)
		}
		g.wantSaid(0, "catch-up fails")
	})
}
