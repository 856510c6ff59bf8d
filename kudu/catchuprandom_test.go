package kudu_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A schedule is what happens in a random test.
type schedule struct {
	*catchUpRig
	mu   sync.Mutex
	rand *rand.Rand
}

// newSchedule returns one of deployments or of runs.
func newSchedule(t *testing.T, seed uint64) *schedule {
	target := kudu.Deployments()
	if seed%2 == 1 {
		target = kudu.TriggeredJob("nightly")
	}
	s := &schedule{catchUpRig: newCatchUpRig(t, target), rand: rand.New(rand.NewPCG(seed, 15))}
	s.inbox = slowInbox{s.inbox.(*webhook.MemInbox), s}
	return s
}

func (s *schedule) intN(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// sleep waits for up to d.
func (s *schedule) sleep(d time.Duration) { time.Sleep(time.Duration(s.intN(int(d)))) }

// A slowInbox takes time to put what a catch-up has found.
type slowInbox struct {
	*webhook.MemInbox
	s *schedule
}

func (in slowInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.Unsigned != "" {
		in.s.sleep(500 * time.Millisecond)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return in.MemInbox.Put(ctx, d)
}

// sendAny makes the site send an event, or deploy again what it has deployed.
func (s *schedule) sendAny() {
	if deployments := s.site.Deployments(); s.target == kudu.Deployments() && len(deployments) > 0 && s.intN(4) == 0 {
		s.deploy(s.deployment(deployments[s.intN(len(deployments))].ID, kudu.StatusSuccess))
		return
	}
	s.send(1)
}

// outage has an hour without a receiver under load.
func (s *schedule) outage() {
	stop := s.start(s.catchUp())
	s.send(2)
	advance(time.Minute)
	stop()
	ends := []callEnd{passed, refused, answerLost, proxied, unready}
	s.net.set(func() callEnd { return ends[s.intN(len(ends))] })
	for range 20 + s.intN(100) {
		s.sendAny()
		s.sleep(time.Minute)
	}
}

// chaos has a time in which the catch-up is ended at random times, the site fails, and other
// events arrive.
func (s *schedule) chaos() {
	failures := []kudutest.Failure{
		{Status: 503, Body: "<html>The site restarts.</html>"}, {Body: "<html>Please sign in.</html>"}, {Status: 502},
		{Status: 429, RetryAfter: 20 * time.Second}, {Cut: true}, {Status: 401}, {Status: 404},
	}
	s.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
		s.sleep(2 * time.Second)
		return webhooktest.InMemory(s.site).RoundTrip(r)
	})
	for range 8 {
		if s.intN(2) == 0 { // in the others Kudu still cannot reach the receiver
			s.net.set(nil)
		}
		s.site.Fail(s.intN(3), failures[s.intN(len(failures))])
		if s.intN(3) == 0 {
			s.ahead += time.Duration(s.intN(8)-4) * time.Hour
		}
		stop := s.start(s.catchUp())
		s.sleep(30 * time.Second)
		for range s.intN(3) {
			s.sendAny()
		}
		s.sleep(30 * time.Second)
		stop()
	}
	s.net.set(nil)
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
				s.net.set(nil)
				defer s.start(s.catchUp())()
				advance(wait)
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
			advance(12 * time.Hour)
			lost += s.missing()
		})
	}
	if lost == 0 {
		t.Error("nothing was lost: the random schedules would not notice it")
	}
}

// besideInbox puts each delivery of a catch-up at the same time as its call.
type besideInbox struct {
	*webhook.MemInbox
	call func(id string)
}

func (in besideInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.Unsigned == "" {
		return in.MemInbox.Put(ctx, d)
	}
	var body struct{ ID string }
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return err
	}
	called := make(chan struct{})
	go func() {
		defer close(called)
		in.call(body.ID)
	}()
	defer func() { <-called }()
	return in.MemInbox.Put(ctx, d)
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
		g.inbox = besideInbox{g.inbox.(*webhook.MemInbox), func(id string) {
			sender.Deliver(context.Background(), receiverURL, calls[id])
		}}
		c := g.catchUp()
		defer g.start(c)()
		advance(time.Hour)
		g.wantAllRun()
		if s := c.Status(); s.Found != events || s.Settled != events || s.Missing != 0 {
			t.Errorf("status: %+v, want %d found and settled", s, events)
		}
		g.wantSaid(0, "catch-up fails")
	})
}
