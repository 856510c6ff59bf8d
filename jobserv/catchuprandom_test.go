package jobserv_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A schedule is what happens in a random test.
type schedule struct {
	*catchUpRig
	*catchuptest.Random
	calls  sync.WaitGroup
	newest atomic.Int64
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	s := &schedule{catchUpRig: newCatchUpRig(t), Random: catchuptest.NewRandom(seed)}
	s.ci.WholeSeconds = seed%2 == 0
	return s
}

// build runs a build, beside the others.
func (s *schedule) build(longest time.Duration) {
	id := s.start()
	s.newest.Store(id)
	s.calls.Go(func() {
		<-time.After(2 * time.Second)
		s.Sleep(longest)
		s.finish(id)
	})
}

// outage has an hour without a receiver, and then one in which the catch-up is ended at
// random times, the API fails and other builds end.
func (s *schedule) outage() {
	stop := s.run(s.catchUp())
	s.build(time.Minute)
	s.build(3 * time.Hour)
	catchuptest.Advance(2 * time.Minute)
	stop()
	ends := []catchuptest.CallEnd{catchuptest.Passed, catchuptest.Refused, catchuptest.AnswerLost, catchuptest.Proxied, catchuptest.Unready}
	s.net.Set(func() catchuptest.CallEnd { return ends[s.IntN(len(ends))] })
	for range 20 + s.IntN(100) {
		s.build(20 * time.Minute)
		s.Sleep(time.Minute)
	}
	failures := []jobservtest.Failure{
		{Status: 502}, {Status: 500, Message: "An unexpected error occurred"}, {Status: 429, RetryAfter: 20 * time.Second},
		{Status: 429}, {Status: 200, Cut: true}, {Drop: 2},
	}
	s.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
		s.Sleep(2 * time.Second)
		return webhooktest.InMemory(s.ci).RoundTrip(r)
	})
	for range 8 {
		if s.IntN(2) == 0 { // in the others JobServ still cannot reach the receiver
			s.net.Set(nil)
		}
		s.ci.Fail(s.IntN(3), failures[s.IntN(len(failures))])
		stop := s.run(s.catchUp())
		s.Sleep(30 * time.Second)
		for range s.IntN(3) {
			s.build(time.Minute)
		}
		s.Sleep(30 * time.Second)
		stop()
	}
	s.calls.Wait() // the last build ends within three hours
	s.net.Set(nil)
	s.endFailures()
	s.client = newClient(token, api) // without the limits of the other
	s.client.Transport = webhooktest.InMemory(s.ci)
	stop = s.run(s.catchUp())
	catchuptest.Advance(time.Minute)
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

func TestACallAndItsCatchUpAtTheSameInstantRunOnce(t *testing.T) {
	for host, builds := range map[string]int{api: 100, "http://lci-web": 1000} { // of the call
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				stop := g.run(g.catchUp())
				catchuptest.Advance(time.Minute)
				stop()
				g.net.Set(catchuptest.Each(catchuptest.Proxied))
				g.send(builds)
				g.net.Set(nil)
				catchuptest.Advance(time.Minute)
				sender := webhooktest.JobServ{Secret: webhook.NewSecret("hook secret"), Transport: g.net}
				g.inbox = catchuptest.BesideInbox{MemInbox: g.inbox.(*webhook.MemInbox), Call: func(d *webhook.Delivery) {
					if r := sender.Deliver(context.Background(), "http://receiver/hooks/jobserv", []byte(strings.ReplaceAll(string(d.Body), api, host))); !r.Delivered {
						t.Errorf("the call ended with %+v", r)
					}
				}}
				c := g.catchUp()
				defer g.run(c)()
				catchuptest.Advance(10 * time.Minute) // of every third build the first attempt fails, and holds up the others
				g.wantAllRun()
				if s := c.Status(); s.Found != builds || s.Settled != builds {
					t.Errorf("status: %+v, want %d found and settled", s, builds)
				}
				g.wantSaid(0, "catch-up fails")
			})
		})
	}
}
