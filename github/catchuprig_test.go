package github_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const hookPath = "repos/acme/app/hooks/7"

// A network is what is between GitHub and the receiver.
type network struct {
	up   http.RoundTripper
	mu   sync.Mutex
	mode func() callEnd // nil: passed
}

// A callEnd is what happens to a call.
type callEnd string

const (
	passed     callEnd = "passed"
	refused    callEnd = "refused"
	answerLost callEnd = "stored, and the answer is lost"
	proxied    callEnd = "answered 200 by a proxy, and lost"
	unready    callEnd = "answered 503 by a proxy"
)

func (n *network) set(mode func() callEnd) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mode = mode
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	what := passed
	if n.mode != nil {
		what = n.mode()
	}
	n.mu.Unlock()
	switch what {
	case refused:
		return nil, errors.New("connection refused")
	case answerLost:
		if _, err := n.up.RoundTrip(r); err != nil {
			return nil, err
		}
		return nil, errors.New("connection reset")
	case proxied:
		return webhooktest.InMemory(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).RoundTrip(r)
	case unready:
		return webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })).RoundTrip(r)
	}
	return n.up.RoundTrip(r)
}

// A catchUpRig is GitHub, a network, a receiver and its inbox, in fake time.
type catchUpRig struct {
	t       *testing.T
	gh      *githubtest.Server
	net     *network
	inbox   github.CatchUpInbox
	source  webhook.Source
	client  *github.Client
	log     *lockedLog
	observe *webhook.Observer

	mu   sync.Mutex
	sent []string       // GUIDs
	ran  map[string]int // by GUID, runs that ended well
	half map[string]int // first attempts that failed
}

func newCatchUpRig(t *testing.T) *catchUpRig {
	t.Helper()
	secret, token := webhook.NewSecret("hook secret"), webhook.NewSecret("token")
	g := &catchUpRig{t: t, source: github.Source(secret), inbox: &webhook.MemInbox{Logger: quiet()}, log: new(lockedLog), ran: make(map[string]int), half: make(map[string]int)}
	receiver := webhook.NewReceiver(g.source, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		return webhook.Store(g.inbox).Handle(ctx, d)
	}))
	receiver.Logger = quiet()
	receiver.Observer = &webhook.Observer{
		Received: func(ctx context.Context, d *webhook.Delivery, err error, took time.Duration) {
			if g.observe != nil {
				g.observe.Received(ctx, d, err, took)
			}
		},
	}
	g.net = &network{up: webhooktest.InMemory(receiver)}
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

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// A lockedLog is a log that can be read while it is written.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
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
	c.Logger = slog.New(slog.NewTextHandler(g.log, nil))
	return c
}

// catchUpOf adds a hook and returns its CatchUp.
func (g *catchUpRig) catchUpOf(id int64) *github.CatchUp {
	g.gh.AddHook(fmt.Sprintf("repos/acme/app/hooks/%d", id), githubtest.Hook{URL: "http://receiver/hooks/github"})
	c := github.NewCatchUp(g.client, github.RepositoryHook("acme", "app", id), g.source, g.inbox)
	c.Logger = quiet()
	return c
}

// advance lets fake time pass, and what is due then happen.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// start runs a CatchUp and a Worker until stop is called.
func (g *catchUpRig) start(c *github.CatchUp) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	worker := webhook.NewWorker(g.inbox, webhook.HandlerFunc(g.handle))
	worker.Logger = quiet()
	worker.Retry = webhook.Backoff{First: time.Second, Max: time.Second}
	var wg sync.WaitGroup
	for _, r := range []webhook.Runner{c, worker} {
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				g.t.Errorf("%T: %v", r, err)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
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
		g.t.Errorf("%d of %d events have not run\n%s", n, len(g.sent), g.log.text.String())
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
