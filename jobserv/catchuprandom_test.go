package jobserv_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A schedule is what happens in a random test.
type schedule struct {
	*catchUpRig
	mu     sync.Mutex
	rand   *rand.Rand
	calls  sync.WaitGroup
	newest atomic.Int64
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	s := &schedule{catchUpRig: newCatchUpRig(t), rand: rand.New(rand.NewPCG(seed, 15))}
	s.ci.WholeSeconds = seed%2 == 0
	return s
}

func (s *schedule) intN(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// sleep waits for up to d.
func (s *schedule) sleep(d time.Duration) { time.Sleep(time.Duration(s.intN(int(d)))) }

// build runs a build, beside the others.
func (s *schedule) build(longest time.Duration) {
	id := s.start()
	s.newest.Store(id)
	s.calls.Go(func() {
		time.Sleep(2 * time.Second)
		s.sleep(longest)
		s.finish(id)
	})
}

// outage has an hour without a receiver, and then one in which the catch-up is ended at
// random times, the API fails and other builds end.
func (s *schedule) outage() {
	stop := s.run(s.catchUp())
	s.build(time.Minute)
	s.build(3 * time.Hour)
	advance(2 * time.Minute)
	stop()
	ends := []callEnd{passed, refused, answerLost, proxied, unready}
	s.net.set(func() callEnd { return ends[s.intN(len(ends))] })
	for range 20 + s.intN(100) {
		s.build(20 * time.Minute)
		s.sleep(time.Minute)
	}
	failures := []jobservtest.Failure{
		{Status: 502}, {Status: 500, Message: "An unexpected error occurred"}, {Status: 429, RetryAfter: 20 * time.Second},
		{Status: 429}, {Status: 200, Cut: true}, {Drop: 2},
	}
	s.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
		s.sleep(2 * time.Second)
		return webhooktest.InMemory(s.ci).RoundTrip(r)
	})
	for range 8 {
		if s.intN(2) == 0 { // in the others JobServ still cannot reach the receiver
			s.net.set(nil)
		}
		s.ci.Fail(s.intN(3), failures[s.intN(len(failures))])
		stop := s.run(s.catchUp())
		s.sleep(30 * time.Second)
		for range s.intN(3) {
			s.build(time.Minute)
		}
		s.sleep(30 * time.Second)
		stop()
	}
	s.calls.Wait() // the last build ends within three hours
	s.net.set(nil)
	s.endFailures()
	s.client = newClient(token, api) // without the limits of the other
	s.client.Transport = webhooktest.InMemory(s.ci)
	stop = s.run(s.catchUp())
	advance(time.Minute)
	stop()
}

// endFailures makes requests until no failure is left.
func (s *schedule) endFailures() {
	for range 20 {
		r := httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, api+"/", nil)
		s.ci.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestEveryBuildRunsOnceInARandomSchedule(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, seed)
				s.outage()
				s.wantAllRun()
			})
		})
	}
}

// aheadInbox keeps the progress before the put: a cursor says that all builds which have
// been started are settled.
type aheadInbox struct {
	*webhook.MemInbox
	newest *atomic.Int64
}

const cursorName = "jobserv api.example.com:443/projects/" + project

// ahead returns the text of a cursor without open builds.
func (in aheadInbox) ahead(text string) string {
	_, rest, _ := strings.Cut(text, " ")
	since, _, _ := strings.Cut(rest, " ")
	return fmt.Sprintf("%d %s ", in.newest.Load(), since)
}

func (in aheadInbox) SetCursor(ctx context.Context, name, from, to string) error {
	return in.MemInbox.SetCursor(ctx, name, from, in.ahead(to))
}

func (in aheadInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if text, err := in.Cursor(ctx, cursorName); err == nil && text != "" && d.Unsigned != "" {
		if err := in.MemInbox.SetCursor(ctx, cursorName, text, in.ahead(text)); err != nil {
			return err
		}
	}
	return in.MemInbox.Put(ctx, d)
}

func TestProgressThatIsKeptBeforeThePutLosesBuilds(t *testing.T) {
	lost := 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed)
			s.inbox = aheadInbox{s.inbox.(*webhook.MemInbox), &s.newest}
			s.outage()
			lost += s.missing()
		})
	}
	if lost == 0 {
		t.Error("nothing was lost: the random schedules would not notice it")
	}
}

// besideInbox puts each delivery that was read from the API at the same time as its call.
type besideInbox struct {
	*webhook.MemInbox
	call func(body []byte)
}

func (in besideInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.Unsigned == "" {
		return in.MemInbox.Put(ctx, d)
	}
	called := make(chan struct{})
	go func() {
		defer close(called)
		in.call(d.Body)
	}()
	defer func() { <-called }()
	return in.MemInbox.Put(ctx, d)
}

func TestACallAndItsCatchUpAtTheSameInstantRunOnce(t *testing.T) {
	for host, builds := range map[string]int{api: 100, "http://lci-web": 1000} { // of the call
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				stop := g.run(g.catchUp())
				advance(time.Minute)
				stop()
				g.net.set(each(proxied))
				g.send(builds)
				g.net.set(nil)
				advance(time.Minute)
				sender := webhooktest.JobServ{Secret: webhook.NewSecret("hook secret"), Transport: g.net}
				g.inbox = besideInbox{g.inbox.(*webhook.MemInbox), func(body []byte) {
					if r := sender.Deliver(context.Background(), "http://receiver/hooks/jobserv", []byte(strings.ReplaceAll(string(body), api, host))); !r.Delivered {
						t.Errorf("the call ended with %+v", r)
					}
				}}
				c := g.catchUp()
				defer g.run(c)()
				advance(2 * time.Minute) // of every third build the first attempt fails
				g.wantAllRun()
				if s := c.Status(); s.Found != builds || s.Settled != builds {
					t.Errorf("status: %+v, want %d found and settled", s, builds)
				}
				g.wantSaid(0, "catch-up fails")
			})
		})
	}
}

var _ jobserv.CatchUpInbox = besideInbox{}
