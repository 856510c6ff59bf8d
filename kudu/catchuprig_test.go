package kudu_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

const (
	appHost     = "app.scm.example"
	receiverURL = "http://receiver/hooks/kudu?token=" + token
)

// A catchUpRig is a site, a network, a receiver and its inbox, in fake time.
type catchUpRig struct {
	t      *testing.T
	target kudu.Target
	site   *kudutest.Server
	net    *catchuptest.Network
	inbox  kudu.CatchUpInbox
	client *kudu.Client
	log    *catchuptest.Log

	observe *webhook.Observer
	ahead   time.Duration // of the site's clock

	mu   sync.Mutex
	sent []string       // what was sent, see idOf
	ran  map[string]int // runs that ended well
	half map[string]int // first attempts that failed
	last []*webhook.Delivery
}

// newCatchUpRig returns a rig whose site keeps everything.
func newCatchUpRig(t *testing.T, target kudu.Target) *catchUpRig {
	t.Helper()
	g := &catchUpRig{
		t: t, target: target, inbox: &webhook.MemInbox{Logger: catchuptest.Quiet()}, log: new(catchuptest.Log),
		ran: make(map[string]int), half: make(map[string]int),
	}
	receiver := webhook.NewReceiver(source(), webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
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
	g.site = newSite(http.NotFoundHandler())
	g.site.Transport, g.site.Keep, g.site.History = g.net, 100_000, 100_000
	g.site.Now = func() time.Time { return time.Now().Add(g.ahead) }
	g.client = clientOf(g.site)
	must[kudu.Hook](t)(g.client.Subscribe(t.Context(), g.hook()))
	return g
}

// hook returns the hook for the target.
func (g *catchUpRig) hook() kudu.Hook {
	if g.target == kudu.Deployments() {
		return kudu.Hook{URL: receiverURL, Event: kudu.EventPostDeployment}
	}
	return kudu.Hook{URL: receiverURL, Event: kudu.EventTriggeredJobFinished}
}

// now returns the next end by the site's clock, which differs from all others.
func (g *catchUpRig) now() wire.Time {
	return wire.At(g.site.Now().Add(time.Duration(len(g.sent)) * 100).UTC())
}

// deployment returns one that has ended.
func (g *catchUpRig) deployment(id string, status kudu.Status) kudu.Deployment {
	end := g.now()
	started := wire.At(end.Add(-time.Minute))
	return kudu.Deployment{
		ID: id, Status: status, Message: "m\n", Author: "Kim Poe", ReceivedTime: started, StartTime: started, EndTime: end,
		LastSuccessEndTime: end, Complete: true, SiteName: "App", HostName: appHost, ProjectType: "NODE.JS",
	}
}

// run returns a run that has ended.
func (g *catchUpRig) run(host string) kudu.TriggeredJobRun {
	end := g.now()
	id := fmt.Sprintf("2026%014d", len(g.sent))
	run := kudu.TriggeredJobRun{
		ID: id, Name: id, Status: kudu.JobFailed, StartTime: wire.At(end.Add(-time.Second)), EndTime: end,
		TimeSpan: "00:00:01", JobName: "Nightly", Trigger: wire.Some("Schedule - 0 0 5 * * *"),
	}
	if host != "" {
		run.URL = "https://" + host + "/api/triggeredwebjobs/nightly/history/" + id
	}
	return run
}

// send makes the site send n events. Each is one that it keeps.
func (g *catchUpRig) send(n int) {
	g.t.Helper()
	for range n {
		if g.target == kudu.Deployments() {
			d := g.deployment(fmt.Sprintf("commit%d", len(g.sent)), []kudu.Status{kudu.StatusSuccess, kudu.StatusFailed}[len(g.sent)%2])
			d.HostName = []string{appHost, "", "slot.scm.example"}[len(g.sent)%3]
			g.deploy(d)
			continue
		}
		run := g.run([]string{appHost, "", "APP.scm.example"}[len(g.sent)%3])
		g.note(run.ID, run.EndTime)
		_, err := g.site.FinishJob(g.t.Context(), run)
		g.check(err)
	}
}

// deploy makes the site send a deployment.
func (g *catchUpRig) deploy(d kudu.Deployment) {
	g.note(d.ID, d.EndTime)
	_, err := g.site.Deploy(g.t.Context(), d)
	g.check(err)
}

func (g *catchUpRig) check(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *catchUpRig) note(id string, end wire.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent = append(g.sent, idOf(id, end))
}

// idOf identifies an event.
func idOf(id string, end wire.Time) string { return id + " " + end.Text() }

// handle runs a delivery. Of every third event the first attempt fails.
func (g *catchUpRig) handle(_ context.Context, d *webhook.Delivery) error {
	var body struct {
		ID      string
		EndTime wire.Time `json:"endTime"`
		Ended   wire.Time `json:"end_time"`
	}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return err
	}
	id := idOf(body.ID, body.EndTime) + body.Ended.Text()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.half[id] == 0 && len(g.half)%3 == 0 {
		g.half[id]++
		return errors.New("half of it is done")
	}
	g.half[id]++
	g.ran[id]++
	g.last = append(g.last, d)
	return nil
}

// catchUp returns a CatchUp of the target.
func (g *catchUpRig) catchUp() *kudu.CatchUp {
	c := kudu.NewCatchUp(g.client, g.target, source(), g.inbox)
	c.Logger = g.log.Logger()
	return c
}

// start runs a CatchUp and a Worker until stop is called.
func (g *catchUpRig) start(c *kudu.CatchUp) (stop func()) {
	return catchuptest.Start(g.t, c, g.inbox, g.handle)
}
