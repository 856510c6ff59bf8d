package github_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A schedule is what happens in a random test.
type schedule struct {
	*catchUpRig
	mu   sync.Mutex
	rand *rand.Rand
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	return &schedule{catchUpRig: newCatchUpRig(t), rand: rand.New(rand.NewPCG(seed, 15))}
}

func (s *schedule) intN(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// sleep waits for up to d.
func (s *schedule) sleep(d time.Duration) { time.Sleep(time.Duration(s.intN(int(d)))) }

// run has an hour without a receiver, and then one in which the catch-up is ended at random
// times, the API fails and other events arrive. It returns how many events did not run.
func (s *schedule) run() int {
	stop := s.start(s.catchUp())
	s.send(2)
	advance(time.Minute)
	stop()
	ends := []callEnd{passed, refused, answerLost, proxied, unready}
	s.net.set(func() callEnd { return ends[s.intN(len(ends))] })
	for range 20 + s.intN(100) {
		s.send(1)
		s.sleep(time.Minute)
	}
	failures := []githubtest.Failure{
		{Status: 502}, {Status: 500, Message: "Server Error"}, {Status: 429, RetryAfter: 20 * time.Second},
		{Status: 403, Message: "You have exceeded a secondary rate limit."}, {Status: 200, Cut: true},
	}
	readAPI := s.intN(2) == 0
	s.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
		s.sleep(2 * time.Second)
		return webhooktest.InMemory(s.gh).RoundTrip(r)
	})
	for range 8 {
		if s.intN(2) == 0 { // in the others GitHub still cannot reach the receiver
			s.net.set(nil)
		}
		s.gh.Fail(s.intN(3), failures[s.intN(len(failures))])
		c := s.catchUp()
		c.ReadAPI = readAPI
		stop := s.start(c)
		s.sleep(30 * time.Second)
		s.send(s.intN(3))
		s.sleep(30 * time.Second)
		stop()
	}
	s.net.set(nil)
	c := s.catchUp()
	c.ReadAPI = readAPI
	defer s.start(c)()
	advance(12 * time.Hour) // many secondary limits in a row take hours
	return s.missing()
}

func TestEveryEventRunsOnceInARandomSchedule(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSchedule(t, seed)
				s.run()
				s.wantAllRun()
			})
		})
	}
}

// aheadInbox keeps the progress before the put: it sets a cursor to the newest delivery that
// GitHub lists.
type aheadInbox struct {
	*webhook.MemInbox
	gh *githubtest.Server
}

func (in aheadInbox) SetCursor(ctx context.Context, name, from, to string) error {
	if list := in.gh.Deliveries(hookPath); len(list) > 0 {
		_, since, _ := strings.Cut(to, " ")
		to = list[0].DeliveredAt.Format(time.RFC3339Nano) + " " + since
	}
	return in.MemInbox.SetCursor(ctx, name, from, to)
}

func TestProgressThatIsKeptBeforeThePutLosesEvents(t *testing.T) {
	lost := 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed)
			s.inbox = aheadInbox{s.inbox.(*webhook.MemInbox), s.gh}
			lost += s.run()
		})
	}
	if lost == 0 {
		t.Error("nothing was lost: the random schedules would not notice it")
	}
}

// besideInbox puts each delivery that was read from the API at the same time as its call.
type besideInbox struct {
	*webhook.MemInbox
	call func(guid string)
}

func (in besideInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.Unsigned == "" {
		return in.MemInbox.Put(ctx, d)
	}
	called := make(chan struct{})
	go func() {
		defer close(called)
		in.call(d.ID)
	}()
	defer func() { <-called }()
	return in.MemInbox.Put(ctx, d)
}

func TestACallAndItsCatchUpAtTheSameInstantRunOnce(t *testing.T) {
	const events = 1000
	for how, readAPI := range map[string]bool{"by redelivery": false, "by the API": true} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				c := g.catchUp()
				stop := g.start(c)
				advance(time.Minute)
				stop()
				g.net.set(each(proxied))
				g.send(events)
				g.net.set(nil)
				g.gh.RedeliverAfter = 1
				sender := webhooktest.GitHub{Secret: webhook.NewSecret("hook secret"), Transport: g.net}
				call := func(guid string) {
					sender.Redeliver(context.Background(), guid, "http://receiver/hooks/github", "issues", []byte(`{"action":"labeled"}`))
				}
				g.inbox = besideInbox{g.inbox.(*webhook.MemInbox), call}
				listed := g.gh.Deliveries(hookPath)
				g.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						parts := strings.Split(r.URL.Path, "/")
						for _, d := range listed {
							if fmt.Sprint(d.ID) == parts[len(parts)-2] {
								go func() {
									time.Sleep(time.Nanosecond) // with the redelivery
									call(d.GUID)
								}()
							}
						}
					}
					return webhooktest.InMemory(g.gh).RoundTrip(r)
				})
				c = g.catchUp()
				c.ReadAPI = readAPI
				defer g.start(c)()
				advance(time.Hour)
				g.wantAllRun()
				if s := c.Status(); s.Found != events || s.Settled != events {
					t.Errorf("status: %+v, want %d found and settled", s, events)
				}
				g.wantSaid(0, "catch-up fails")
			})
		})
	}
}

// A transport is a func as a RoundTripper.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
