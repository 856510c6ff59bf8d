package dockerhub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// A putInbox records what is stored, which may be superseded before it runs. Every third put
// fails.
type putInbox struct {
	*webhook.MemInbox
	t     *testing.T
	last  map[string]string // the digest by image
	puts  int
	ahead bool // it keeps the progress before the put
}

func (in *putInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	image, digest := d.OrderingKey, d.Header.Get(dockerhub.DigestHeader)
	if in.ahead {
		name := "dockerhub " + image
		now, err := in.Cursor(ctx, name)
		if err == nil {
			err = in.SetCursor(ctx, name, now, "7 "+digest)
		}
		if err != nil {
			return err
		}
	}
	if in.puts++; in.puts%3 == 0 {
		return catchuptest.ErrDown
	}
	err := in.MemInbox.Put(ctx, d)
	if err == nil {
		if in.last[image] == digest && !in.ahead {
			in.t.Errorf("%s@%s is stored twice in a row", image, digest)
		}
		in.last[image] = digest
	}
	return err
}

// randomSchedule has tags that move while the catch-up is down, is ended at random times, and
// the registry and the inbox fail. It returns how many of the newest digests have not run last.
func randomSchedule(t *testing.T, seed uint64, ahead bool) (lost int) {
	tags := []dockerhub.Tag{"latest", "edge", "v1"}
	g := newCatchUpRig(t)
	g.inbox = &putInbox{MemInbox: g.inbox.(*webhook.MemInbox), t: t, last: make(map[string]string), ahead: ahead}
	rng := rand.New(rand.NewPCG(seed, 15))
	newest := make(map[string]string) // digests by image
	for range 20 {
		image := "acme/app:" + string(tags[rng.IntN(len(tags))])
		newest[image] = push(g.hub, image, fmt.Sprint(image, rng.IntN(3)))
		g.hub.Fail(rng.IntN(2), dockerhubtest.Failure{Status: http.StatusBadGateway})
		if rng.IntN(2) == 0 {
			stop := g.start(g.catchUp(tags...))
			catchuptest.Advance(time.Duration(rng.IntN(int(2 * time.Minute))))
			stop()
		}
	}
	c := g.catchUp(tags...)
	defer g.start(c)()
	catchuptest.Advance(2 * time.Hour)
	last := make(map[string]string)
	for _, ran := range g.ran {
		image, digest, _ := strings.Cut(ran, "@")
		last[image] = digest
	}
	for image, digest := range newest {
		if last[image] != digest {
			lost++
		}
	}
	found := c.Status().Found
	if catchuptest.Advance(time.Hour); c.Status().Found != found {
		t.Error("a later look found something")
	}
	return lost
}

func TestEveryNewestDigestRunsInARandomSchedule(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if n := randomSchedule(t, seed, false); n > 0 {
					t.Errorf("%d of the newest digests have not run", n)
				}
			})
		})
	}
}

func TestProgressThatIsKeptBeforeThePutLosesDigests(t *testing.T) {
	lost := 0
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) { lost += randomSchedule(t, seed, true) })
	}
	if lost == 0 {
		t.Error("nothing was lost: the random schedules would not notice it")
	}
}
