package dockerhub_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A staleInbox returns an old cursor when it is read first, as if other processes had moved it
// between that and the answer of the registry.
type staleInbox struct {
	*webhook.MemInbox
	old  string
	read atomic.Bool
}

func (in *staleInbox) Cursor(ctx context.Context, name string) (string, error) {
	if !in.read.Swap(true) {
		return in.old, nil
	}
	return in.MemInbox.Cursor(ctx, name)
}

// The tag has moved on and back while this process waited for the registry.
func TestADigestThatIsBackIsHandedOverAlthoughAnotherProcessHadItBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		in := &staleInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		var images []string
		stop := g.start(g.catchUp("latest"))
		for _, content := range []string{"1", "2", "3"} {
			images = append(images, "acme/app:latest@"+push(g.hub, "acme/app:latest", content))
			catchuptest.Advance(11 * time.Minute)
			if content == "1" {
				in.old, _ = g.inbox.Cursor(t.Context(), "dockerhub acme/app:latest")
			}
		}
		stop()
		g.wantRan(images...)
		back := "acme/app:latest@" + push(g.hub, "acme/app:latest", "2")
		g.inbox = in
		defer g.start(g.catchUp("latest"))()
		catchuptest.Advance(time.Minute)
		g.wantRan(append(images, back)...)
	})
}

func TestTheSameImageInTwoRegistriesIsHandedOverForEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		image := "acme/app:latest@" + push(g.hub, "acme/app:latest", "1")
		for _, registry := range []string{"https://a.example", "https://b.example"} {
			stop := g.start(g.catchUpAt(registry, "latest"))
			catchuptest.Advance(time.Minute)
			stop()
		}
		g.wantRan(image, image)
		for _, d := range g.all {
			if u := decode(t, d.Body).Repository.RepoURL; u != "" {
				t.Errorf("the repository of another registry has the URL %s", u)
			}
		}
	})
}
