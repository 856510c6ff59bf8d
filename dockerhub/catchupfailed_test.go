package dockerhub_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A refusingInbox refuses a digest for good.
type refusingInbox struct {
	*webhook.MemInbox
	digest string
	puts   int
}

func (in *refusingInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.Header.Get(dockerhub.DigestHeader) == in.digest {
		in.puts++
		return webhook.Permanent(catchuptest.ErrDown)
	}
	return in.MemInbox.Put(ctx, d)
}

// looks returns how many HEADs of a tag were answered, but for those without a token.
func (g *catchUpRig) looks(tag string) (n int) {
	for _, r := range g.hub.Requests() {
		if r.Method == http.MethodHead && strings.HasSuffix(r.Path, "/manifests/"+tag) && r.Status != http.StatusUnauthorized {
			n++
		}
	}
	return n
}

func TestATagThatIsRefusedForGoodIsAskedForAloneAndSeldom(t *testing.T) {
	for name, refuse := range map[string]func(g *catchUpRig, digest string){
		"by the inbox": func(g *catchUpRig, digest string) {
			g.inbox = &refusingInbox{MemInbox: g.inbox.(*webhook.MemInbox), digest: digest}
		},
		"by the registry": func(g *catchUpRig, _ string) {
			g.hub.Fail(1000, dockerhubtest.Failure{Path: "/v2/acme/app/manifests/v0", Status: 400})
		},
		"by an answer without a digest": func(g *catchUpRig, _ string) {
			g.hub.Fail(1000, dockerhubtest.Failure{Path: "/v2/acme/app/manifests/v0", Header: http.Header{dockerhub.DigestHeader: {"odd"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				tags, images := g.pushTags(20)
				refuse(g, images[0][len("acme/app:v0@"):])
				c := g.catchUp(tags...)
				c.Every = 6 * time.Hour
				defer g.start(c)()
				catchuptest.Advance(24 * time.Hour)
				g.wantRan(images[1:]...)
				if n := g.looks("v0"); n < 24 || n > 60 {
					t.Errorf("%d HEADs of the tag in a day, want about one in 30 minutes", n)
				}
				if n := g.looks("v7"); n < 4 || n > 6 {
					t.Errorf("%d HEADs of another tag in a day, want those of the looks", n)
				}
				if n := count(g.hub, "GET hub.docker.com/"); n > len(tags) {
					t.Errorf("%d requests to the API for %d tags", n, len(tags))
				}
				if in, ok := g.inbox.(*refusingInbox); ok && in.puts != 1 {
					t.Errorf("the push was put %d times, want once", in.puts)
				}
				if n, all := g.log.Count("catch-up fails"), g.log.Count("level=WARN"); n != 1 || all != 1 {
					t.Errorf("%d lines say that it fails, of %d warnings, want one:\n%s", n, all, g.log.String())
				}
			})
		})
	}
}

func TestARefusedTagIsHandedOverWhenItIsPushedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.inbox = &refusingInbox{MemInbox: g.inbox.(*webhook.MemInbox), digest: push(g.hub, "acme/app:latest", "1")}
		c := g.catchUp("latest")
		c.Every = time.Minute
		defer g.start(c)()
		catchuptest.Advance(5 * time.Hour)
		g.wantRan()
		image := "acme/app:latest@" + push(g.hub, "acme/app:latest", "2")
		catchuptest.Advance(time.Minute + time.Second)
		g.wantRan(image)
		if n := g.log.Count("works again"); n != 1 || c.Status().Err != nil {
			t.Errorf("%d lines say that it works again, and the error is %v", n, c.Status().Err)
		}
	})
}

func TestATagThatFailsBesideARefusedOneIsLoggedOnceAndTriedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		tags, images := g.pushTags(4)
		g.inbox = &refusingInbox{MemInbox: g.inbox.(*webhook.MemInbox), digest: images[0][len("acme/app:v0@"):]}
		c := g.catchUp(tags...)
		defer g.start(c)()
		catchuptest.Advance(12 * time.Hour)
		g.hub.Fail(1000, dockerhubtest.Failure{Path: "/v2/acme/app/manifests/v2", Status: 502})
		before := g.looks("v2")
		catchuptest.Advance(2 * time.Hour)
		if n := g.looks("v2") - before; n < 20 || n > 40 {
			t.Errorf("%d HEADs in two hours, want about one in five minutes", n)
		}
		g.hub.StopFailing()
		image := "acme/app:v2@" + push(g.hub, "acme/app:v2", "new")
		catchuptest.Advance(10 * time.Minute)
		g.wantRan(append(images[1:], image)...)
		for text, want := range map[string]int{"catch-up fails": 1, "more tags fail": 1, "tag=v2 reason=": 1, "works again": 0} {
			if n := g.log.Count(text); n != want {
				t.Errorf("%q was logged %d times, want %d:\n%s", text, n, want, g.log.String())
			}
		}
	})
}
