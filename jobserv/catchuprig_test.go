package jobserv_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const project = "acme/app"

// A catchUpRig is JobServ, a network, a receiver and its inbox, in fake time.
type catchUpRig struct {
	t       *testing.T
	ci      *jobservtest.Server
	net     *catchuptest.Network
	inbox   jobserv.CatchUpInbox
	source  webhook.Source
	client  *jobserv.Client
	log     *catchuptest.Log
	observe *webhook.Observer

	mu   sync.Mutex
	sent []string       // completions: the number and the time
	ran  map[string]int // by completion, runs that ended well
	half map[string]int // first attempts that failed
}

func newCatchUpRig(t *testing.T) *catchUpRig {
	t.Helper()
	secret := webhook.NewSecret("hook secret")
	g := &catchUpRig{t: t, source: jobserv.Source(secret), inbox: &webhook.MemInbox{Logger: catchuptest.Quiet()}, log: new(catchuptest.Log), ran: make(map[string]int), half: make(map[string]int)}
	receiver := webhook.NewReceiver(g.source, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		return webhook.Store(g.inbox).Handle(ctx, d)
	}))
	receiver.Logger = catchuptest.Quiet()
	receiver.Observer = &webhook.Observer{
		Received: func(ctx context.Context, d *webhook.Delivery, err error, took time.Duration) {
			if g.observe != nil {
				g.observe.Received(ctx, d, err, took)
			}
		},
	}
	g.net = catchuptest.NewNetwork(receiver)
	g.ci = &jobservtest.Server{Token: token, Transport: g.net, URL: api, WholeSeconds: true}
	g.ci.AddProject(project, jobservtest.Hook{URL: "http://receiver/hooks/jobserv", Secret: secret})
	g.client = newClient(token, api)
	g.client.Transport = webhooktest.InMemory(g.ci)
	return g
}

// catchUp returns a CatchUp of the project.
func (g *catchUpRig) catchUp() *jobserv.CatchUp {
	c := jobserv.NewCatchUp(g.client, project, g.source, g.inbox)
	c.Logger = g.log.Logger()
	return c
}

// start starts a build.
func (g *catchUpRig) start() int64 { return g.ci.Start(project) }

// note notes a completion of a build now, which must run.
func (g *catchUpRig) note(id int64) {
	at := time.Now()
	if g.ci.WholeSeconds {
		at = at.Round(time.Second)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent = append(g.sent, fmt.Sprint(id, " ", at.Unix()))
}

// finish ends a build and waits until the calls for it have ended.
func (g *catchUpRig) finish(id int64) {
	g.note(id)
	g.ci.Finish(context.Background(), project, id, jobserv.Passed)
}

// send makes n builds, which take two seconds each.
func (g *catchUpRig) send(n int) {
	for range n {
		id := g.start()
		catchuptest.Advance(2 * time.Second)
		g.finish(id)
	}
}

// missed makes n builds of which nobody received the call, after a catch-up has run.
func (g *catchUpRig) missed(n int) {
	g.t.Helper()
	stop := g.run(g.catchUp())
	catchuptest.Advance(time.Minute)
	stop()
	g.net.Set(catchuptest.Each(catchuptest.Refused))
	g.send(n)
	g.net.Set(nil)
	catchuptest.Advance(time.Minute)
}

// handle runs a delivery. Of every third completion the first attempt fails.
func (g *catchUpRig) handle(_ context.Context, d *webhook.Delivery) error {
	e, err := webhook.Decode[jobserv.Build](d)
	if err != nil {
		return err
	}
	key := fmt.Sprint(e.Payload.BuildID, " ", e.Payload.Completed.Unix())
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.Payload.BuildID%3 == 0 && g.half[key] == 0 {
		g.half[key]++
		return errors.New("half of it is done")
	}
	g.ran[key]++
	return nil
}

// run runs a CatchUp and a Worker until stop is called.
func (g *catchUpRig) run(c *jobserv.CatchUp) (stop func()) {
	return catchuptest.Start(g.t, c, g.inbox, g.handle)
}

// missing returns how many completions did not run, and an error if one ran twice.
func (g *catchUpRig) missing() (n int) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, key := range g.sent {
		if g.ran[key] == 0 {
			n++
		}
	}
	for key, runs := range g.ran {
		if runs > 1 {
			g.t.Errorf("build %s ran %d times", key, runs)
		}
	}
	return n
}

// wantAllRun requires that each completion has run exactly once, and nothing else has.
func (g *catchUpRig) wantAllRun() {
	g.t.Helper()
	if n := g.missing(); n > 0 || len(g.ran) != len(g.sent) {
		g.t.Errorf("%d of %d completions have not run, and %d have\n%s", n, len(g.sent), len(g.ran), g.log.String())
	}
}

// wantSaid requires that a text was logged n times.
func (g *catchUpRig) wantSaid(n int, text string) {
	g.t.Helper()
	if got := g.log.Count(text); got != n {
		g.t.Errorf("%q was logged %d times, want %d:\n%s", text, got, n, g.log.String())
	}
}
