package github_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const hookPath = "repos/acme/app/hooks/7"

// A catchUpRig is GitHub, a network, a receiver and its inbox, in fake time.
type catchUpRig struct {
	t       *testing.T
	gh      *githubtest.Server
	net     *catchuptest.Network
	inbox   github.CatchUpInbox
	source  webhook.Source
	client  *github.Client
	log     *catchuptest.Log
	observe *webhook.Observer

	mu   sync.Mutex
	sent []string       // GUIDs
	ran  map[string]int // by GUID, runs that ended well
	half map[string]int // first attempts that failed
}

func newCatchUpRig(t *testing.T) *catchUpRig {
	t.Helper()
	secret, token := webhook.NewSecret("hook secret"), webhook.NewSecret("token")
	g := &catchUpRig{t: t, source: github.Source(secret), inbox: &webhook.MemInbox{Logger: catchuptest.Quiet()}, log: new(catchuptest.Log), ran: make(map[string]int), half: make(map[string]int)}
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
	g.gh = &githubtest.Server{Token: token, Transport: g.net}
	g.gh.AddHook(hookPath, githubtest.Hook{URL: "http://receiver/hooks/github", Secret: secret})
	client, err := github.NewClient("", github.Token(token))
	if err != nil {
		t.Fatal(err)
	}
	client.Transport = webhooktest.InMemory(g.gh)
	g.client = client
	return g
}

// send makes GitHub send n events.
func (g *catchUpRig) send(n int) {
	g.t.Helper()
	for range n {
		d := g.gh.Send(g.t.Context(), hookPath, "issues", fmt.Appendf(nil, `{"action":"labeled","n":%d,"issue":{"id":12345678901234567}}`, len(g.sent)))
		g.mu.Lock()
		g.sent = append(g.sent, d.GUID)
		g.mu.Unlock()
	}
}

// handle runs a delivery. Of every fifth event the first attempt fails.
func (g *catchUpRig) handle(_ context.Context, d *webhook.Delivery) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d.ID[0] < '4' && g.half[d.ID] == 0 {
		g.half[d.ID]++
		return errors.New("half of it is done")
	}
	g.ran[d.ID]++
	return nil
}

// catchUp returns a CatchUp of the hook.
func (g *catchUpRig) catchUp() *github.CatchUp {
	c := github.NewCatchUp(g.client, github.RepositoryHook("acme", "app", 7), g.source, g.inbox)
	c.Logger = g.log.Logger()
	return c
}

// catchUpOf adds a hook and returns its CatchUp.
func (g *catchUpRig) catchUpOf(id int64) *github.CatchUp {
	g.gh.AddHook(fmt.Sprintf("repos/acme/app/hooks/%d", id), githubtest.Hook{URL: "http://receiver/hooks/github"})
	c := github.NewCatchUp(g.client, github.RepositoryHook("acme", "app", id), g.source, g.inbox)
	c.Logger = catchuptest.Quiet()
	return c
}

// start runs a CatchUp and a Worker until stop is called.
func (g *catchUpRig) start(c *github.CatchUp) (stop func()) {
	return catchuptest.Start(g.t, c, g.inbox, g.handle)
}

// missing returns how many events did not run, and an error if one ran twice.
func (g *catchUpRig) missing() (n int) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, guid := range g.sent {
		if g.ran[guid] == 0 {
			n++
		}
	}
	for guid, runs := range maps.All(g.ran) {
		if runs > 1 {
			g.t.Errorf("%s ran %d times", guid, runs)
		}
	}
	return n
}

// wantAllRun requires that each event has run exactly once.
func (g *catchUpRig) wantAllRun() {
	g.t.Helper()
	if n := g.missing(); n > 0 {
		g.t.Errorf("%d of %d events have not run\n%s", n, len(g.sent), g.log.String())
	}
}

// requests returns how many requests of the method GitHub got, with the status.
func (g *catchUpRig) requests(method string, status int) (n int) {
	for _, r := range g.gh.Requests() {
		if r.Method == method && r.Status == status {
			n++
		}
	}
	return n
}
