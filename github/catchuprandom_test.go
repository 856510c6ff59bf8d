package github_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A schedule is what happens in a random test.
type schedule struct {
	*catchUpRig
	*catchuptest.Random
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	return &schedule{catchUpRig: newCatchUpRig(t), Random: catchuptest.NewRandom(seed)}
}

// run has an hour without a receiver, and then one in which the catch-up is ended at random
// times, the API fails and other events arrive. It returns how many events did not run.
func (s *schedule) run() int {
	stop := s.start(s.catchUp())
	s.send(2)
	catchuptest.Advance(time.Minute)
	stop()
	ends := []catchuptest.CallEnd{catchuptest.Passed, catchuptest.Refused, catchuptest.AnswerLost, catchuptest.Proxied, catchuptest.Unready}
	s.net.Set(func() catchuptest.CallEnd { return ends[s.IntN(len(ends))] })
	for range 20 + s.IntN(100) {
		s.send(1)
		s.Sleep(time.Minute)
	}
	failures := []githubtest.Failure{
		{Status: 502}, {Status: 500, Message: "Server Error"}, {Status: 429, RetryAfter: 20 * time.Second},
		{Status: 403, Message: "You have exceeded a secondary rate limit."}, {Status: 200, Cut: true},
	}
	readAPI := s.IntN(2) == 0
	s.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
		s.Sleep(2 * time.Second)
		return webhooktest.InMemory(s.gh).RoundTrip(r)
	})
	for range 8 {
		if s.IntN(2) == 0 { // in the others GitHub still cannot reach the receiver
			s.net.Set(nil)
		}
		s.gh.Fail(s.IntN(3), failures[s.IntN(len(failures))])
		c := s.catchUp()
		c.ReadAPI = readAPI
		stop := s.start(c)
		s.Sleep(30 * time.Second)
		s.send(s.IntN(3))
		s.Sleep(30 * time.Second)
		stop()
	}
	s.net.Set(nil)
	c := s.catchUp()
	c.ReadAPI = readAPI
	defer s.start(c)()
	catchuptest.Advance(12 * time.Hour) // many secondary limits in a row take hours
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

func TestACallAndItsCatchUpAtTheSameInstantRunOnce(t *testing.T) {
	const events = 1000
	for how, readAPI := range map[string]bool{"by redelivery": false, "by the API": true} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				c := g.catchUp()
				stop := g.start(c)
				catchuptest.Advance(time.Minute)
				stop()
				g.net.Set(catchuptest.Each(catchuptest.Proxied))
				g.send(events)
				g.net.Set(nil)
				g.gh.RedeliverAfter = 1
				sender := webhooktest.GitHub{Secret: webhook.NewSecret("hook secret"), Transport: g.net}
				call := func(guid string) {
					sender.Redeliver(context.Background(), guid, "http://receiver/hooks/github", "issues", []byte(`{"action":"labeled"}`))
				}
				g.inbox = catchuptest.BesideInbox{MemInbox: g.inbox.(*webhook.MemInbox), Call: func(d *webhook.Delivery) { call(d.ID) }}
				listed := g.gh.Deliveries(hookPath)
				g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						parts := strings.Split(r.URL.Path, "/")
						for _, d := range listed {
							if fmt.Sprint(d.ID) == parts[len(parts)-2] {
								go func() {
									<-time.After(time.Nanosecond) // with the redelivery
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
				catchuptest.Advance(time.Hour)
				g.wantAllRun()
				if s := c.Status(); s.Found != events || s.Settled != events {
					t.Errorf("status: %+v, want %d found and settled", s, events)
				}
				g.wantSaid(0, "catch-up fails")
			})
		})
	}
}
