package jobserv_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// More builds than a round handles are caught up by several, oldest first.
func TestABacklogIsHandledInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(230)
		c := g.catchUp()
		c.SetMost(50)
		var order []int64
		g.inbox = orderInbox{g.inbox.(*webhook.MemInbox), &order}
		c = g.catchUp()
		c.SetMost(50)
		defer g.run(c)()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		if s := c.Status(); s.Stored != 230 || s.Looks < 5 || s.Upto != 230 {
			t.Errorf("status %+v, want 230 stored in five looks", s)
		}
		for n, id := range order {
			if id != int64(n+1) {
				t.Fatalf("build %d was put as number %d", id, n+1)
			}
		}
	})
}

// An orderInbox keeps the order in which builds are put.
type orderInbox struct {
	*webhook.MemInbox
	order *[]int64
}

func (in orderInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	e, err := webhook.Decode[jobserv.Build](d)
	if err != nil {
		return err
	}
	*in.order = append(*in.order, e.Payload.BuildID)
	return in.MemInbox.Put(ctx, d)
}

// While builds are added, those of a page come again on the next one.
func TestPagesThatShiftSkipNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(230)
		up := g.client.Transport
		added := 0
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			resp, err := up.RoundTrip(r)
			if strings.HasSuffix(r.URL.Path, "/builds/") && added < 60 {
				for range 20 {
					added++
					g.start()
				}
			}
			return resp, err
		})
		defer g.run(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
	})
}

// An API that answers with the same page again and again costs two requests.
func TestAPageThatComesAgainEndsTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		asked := 0
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if asked++; asked > 20 {
				return nil, errors.New("too many requests")
			}
			return webhooktest.InMemory(answering(200, `{"status":"success","data":{"limit":1,"total":900,"builds":[
				{"build_id":7,"url":"https://h/projects/acme/app/builds/7/","status":"PASSED","runs":[],
				"created":"2026-01-01T00:00:00+00:00","completed":"2026-01-01T00:00:09+00:00"}]}}`)).RoundTrip(r)
		})
		g.inbox = &webhook.MemInbox{Logger: catchuptest.Quiet(), Window: math.MaxInt64}
		c := g.catchUp()
		c.Since = time.Now().Add(-30 * 365 * 24 * time.Hour)
		c.MaxAge = 100 * 365 * 24 * time.Hour
		stop := g.run(c)
		catchuptest.Advance(time.Second)
		stop()
		if err := c.Status().Err; asked > 2 || !errors.Is(err, jobserv.ErrAnswer) {
			t.Errorf("%d requests, %v, want 2 and ErrAnswer", asked, err)
		}
	})
}

func TestRunRefusesSettingsAtOnce(t *testing.T) {
	for name, change := range map[string]func(c *jobserv.CatchUp, project *string, source *webhook.Source){
		"Every is":              func(c *jobserv.CatchUp, _ *string, _ *webhook.Source) { c.Every = time.Second },
		"MaxAge is -1ns":        func(c *jobserv.CatchUp, _ *string, _ *webhook.Source) { c.MaxAge = -1 },
		"for 720h0m0s (Window)": func(c *jobserv.CatchUp, _ *string, _ *webhook.Source) { c.MaxAge = 30 * 24 * time.Hour },
		"project is empty":      func(_ *jobserv.CatchUp, p *string, _ *webhook.Source) { *p = "" },
		`has "" in its`:         func(_ *jobserv.CatchUp, p *string, _ *webhook.Source) { *p = "acme/" },
		`has ".." in its`:       func(_ *jobserv.CatchUp, p *string, _ *webhook.Source) { *p = "../x" },
		`has "a?b" in its`:      func(_ *jobserv.CatchUp, p *string, _ *webhook.Source) { *p = "a?b" },
		"over 255":              func(_ *jobserv.CatchUp, p *string, _ *webhook.Source) { *p = strings.Repeat("a", 250) },
		"no name":               func(_ *jobserv.CatchUp, _ *string, s *webhook.Source) { s.Name = "" },
		"no dedup key":          func(_ *jobserv.CatchUp, _ *string, s *webhook.Source) { s.Describe = nil },
		"Scope returned no": func(_ *jobserv.CatchUp, _ *string, s *webhook.Source) {
			s.Scope = func(*http.Request) string { return "" }
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, source, set := project, jobserv.Source(webhook.NewSecret("s")), jobserv.CatchUp{}
			change(&set, &p, &source)
			c := jobserv.NewCatchUp(newClient(token, api), p, source, new(webhook.MemInbox))
			c.Every, c.MaxAge = set.Every, set.MaxAge
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // Run returns also if it refuses nothing
			if err := c.Run(ctx); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("Run returned %v, want an error about %s", err, name)
			}
		})
	}
}

func TestRunOfARunningCatchUpIsErrRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		c := g.catchUp()
		stop := g.run(c)
		synctest.Wait()
		if err := c.Run(t.Context()); !errors.Is(err, webhook.ErrRunning) {
			t.Errorf("Run returned %v, want ErrRunning", err)
		}
		stop()
	})
}
