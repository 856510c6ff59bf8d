package dockerhub_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A catchUpRig is a registry and an inbox, in fake time.
type catchUpRig struct {
	t     *testing.T
	hub   *dockerhubtest.Server
	inbox dockerhub.CatchUpInbox
	log   catchuptest.Log

	transport http.RoundTripper // if nil, that to hub

	mu  sync.Mutex
	ran []string // image@digest
	all []*webhook.Delivery
}

func newCatchUpRig(t *testing.T) *catchUpRig {
	return &catchUpRig{t: t, hub: new(dockerhubtest.Server), inbox: &webhook.MemInbox{Logger: catchuptest.Quiet()}}
}

func (g *catchUpRig) catchUp(tags ...dockerhub.Tag) *dockerhub.CatchUp {
	return g.catchUpAt("", tags...)
}

// catchUpAt returns a CatchUp of a registry, of Docker Hub if it is empty.
func (g *catchUpRig) catchUpAt(registry string, tags ...dockerhub.Tag) *dockerhub.CatchUp {
	client := clientOf(g.hub, "", "")
	client.Registry = registry
	if g.transport != nil {
		client.Transport = g.transport
	}
	c := dockerhub.NewCatchUp(client, "acme/app", tags, source(), g.inbox)
	c.Every, c.Logger = 10*time.Minute, g.log.Logger()
	return c
}

// start runs a CatchUp and a Worker until stop is called.
func (g *catchUpRig) start(c *dockerhub.CatchUp) (stop func()) {
	return catchuptest.Start(g.t, c, g.inbox, func(_ context.Context, d *webhook.Delivery) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ran = append(g.ran, decode(g.t, d.Body).Image()+"@"+d.Header.Get(dockerhub.DigestHeader))
		g.all = append(g.all, d)
		return nil
	})
}

// wantRan requires what has run. Tags run concurrently, so the order is ignored.
func (g *catchUpRig) wantRan(want ...string) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(g.ran)); !slices.Equal(got, want) {
		g.t.Errorf("ran %q, want %q", got, want)
	}
}

func TestTheNewestDigestOfEachTagIsHandedOverOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		a, b := push(g.hub, "acme/app:latest", "1"), push(g.hub, "acme/app:edge", "2")
		stop := g.start(g.catchUp("latest", "edge"))
		catchuptest.Advance(2 * time.Hour)
		g.wantRan("acme/app:latest@"+a, "acme/app:edge@"+b)
		if n := count(g.hub, "GET hub.docker.com"); n != 2 {
			t.Errorf("Docker Hub's API was asked %d times, want once for each push", n)
		}
		stop()
		push(g.hub, "acme/app:latest", "3") // nobody finds this one
		c := push(g.hub, "acme/app:latest", "4")
		defer g.start(g.catchUp("latest", "edge"))()
		catchuptest.Advance(time.Minute)
		g.wantRan("acme/app:latest@"+a, "acme/app:edge@"+b, "acme/app:latest@"+c)
		push(g.hub, "acme/app:latest", "1") // back
		catchuptest.Advance(11 * time.Minute)
		g.wantRan("acme/app:latest@"+a, "acme/app:edge@"+b, "acme/app:latest@"+c, "acme/app:latest@"+a)
	})
}

func TestTheDeliveryIsAPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		push(g.hub, "acme/app:latest", "1")
		pushed := time.Now()
		defer g.start(g.catchUp("latest"))()
		catchuptest.Advance(time.Minute)
		if len(g.all) != 1 {
			t.Fatalf("%d deliveries\n%s", len(g.all), g.log.String())
		}
		d := g.all[0]
		p := decode(t, d.Body)
		if p.Repository.RepoName != "acme/app" || p.Repository.Namespace != "acme" || p.Repository.Name != "app" ||
			p.PushData.Pusher != "kim" || !p.PushData.PushedAt.Equal(pushed.Truncate(time.Second)) {
			t.Errorf("push %+v", p)
		}
		if d.Unsigned == "" || d.Type != "dockerhub.push" || d.OrderingKey != "acme/app:latest" || d.Coalesce != dockerhub.DefaultCoalesce {
			t.Errorf("delivery %+v", d)
		}
	})
}

func TestRunReturnsTheErrorsOfItsSettings(t *testing.T) {
	inbox := new(webhook.MemInbox)
	at := func(registry, hub string) *dockerhub.CatchUp {
		return dockerhub.NewCatchUp(&dockerhub.Client{Registry: registry, Hub: hub}, "acme/app", []dockerhub.Tag{"latest"}, source(), inbox)
	}
	for want, c := range map[string]*dockerhub.CatchUp{
		`repository "Acme"`:       dockerhub.NewCatchUp(new(dockerhub.Client), "Acme", []dockerhub.Tag{"latest"}, source(), inbox),
		`tag "a/b"`:               dockerhub.NewCatchUp(new(dockerhub.Client), "acme/app", []dockerhub.Tag{"a/b"}, source(), inbox),
		"no tags":                 dockerhub.NewCatchUp(new(dockerhub.Client), "acme/app", nil, source(), inbox),
		"no name":                 dockerhub.NewCatchUp(new(dockerhub.Client), "acme/app", []dockerhub.Tag{"latest"}, webhook.Source{}, inbox),
		"over 255":                dockerhub.NewCatchUp(new(dockerhub.Client), strings.Repeat("a", 240), []dockerhub.Tag{"latest"}, source(), inbox),
		"the URL of the registry": at("ftp://registry.example", ""),
		"absolute http or https":  at("https://kim:s3cret@registry.example", ""),
		"or of Docker Hub":        at("", "hub.docker.com"),
	} {
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
