package dockerhub_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A flakyInbox fails in one of its methods.
type flakyInbox struct {
	*webhook.MemInbox
	put, set atomic.Bool
}

var errDown = errors.New("the database is down")

func (in *flakyInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if in.put.Load() {
		return errDown
	}
	return in.MemInbox.Put(ctx, d)
}

func (in *flakyInbox) SetCursor(ctx context.Context, name, from, to string) error {
	if in.set.Load() {
		return errDown
	}
	return in.MemInbox.SetCursor(ctx, name, from, to)
}

func TestAnInboxThatFailsInBetweenLosesNothingAndRepeatsNothing(t *testing.T) {
	for name, part := range map[string]func(in *flakyInbox) *atomic.Bool{
		"at the put":    func(in *flakyInbox) *atomic.Bool { return &in.put },
		"at the cursor": func(in *flakyInbox) *atomic.Bool { return &in.set },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				in := &flakyInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
				g.inbox = in
				a := push(g.hub, "acme/app:latest", "1")
				part(in).Store(true)
				stop := g.start(g.catchUp("latest"))
				advance(time.Hour)
				stop()
				if n := strings.Count(g.log.String(), "was not handed over"); n > 1 {
					t.Errorf("what was found was logged %d times", n)
				}
				part(in).Store(false)
				defer g.start(g.catchUp("latest"))()
				advance(time.Hour)
				g.wantRan("acme/app:latest@" + a)
				if n := strings.Count(g.log.String(), "catch-up fails"); n != 1 {
					t.Errorf("said %d times", n)
				}
			})
		})
	}
}

func TestATagThatFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		b := push(g.hub, "acme/app:edge", "2")
		c := g.catchUp("absent", "latest", "edge")
		push(g.hub, "acme/app:latest", "1")
		g.hub.Fail(1000, dockerhubtest.Failure{Path: "/v2/acme/app/manifests/latest", Header: http.Header{dockerhub.DigestHeader: {"odd"}}})
		defer g.start(c)()
		advance(time.Hour)
		g.wantRan("acme/app:edge@" + b)
		if err := c.Status().Err; !errors.Is(err, dockerhub.ErrAnswer) {
			t.Errorf("got %v, want ErrAnswer", err)
		}
		g.hub.StopFailing()
		a := push(g.hub, "acme/app:latest", "1")
		x := push(g.hub, "acme/app:absent", "3")
		advance(time.Hour)
		g.wantRan("acme/app:edge@"+b, "acme/app:absent@"+x, "acme/app:latest@"+a)
		for _, text := range []string{"does not have a tag", "catch-up fails", "works again"} {
			if n := strings.Count(g.log.String(), text); n != 1 {
				t.Errorf("%q was logged %d times:\n%s", text, n, g.log.String())
			}
		}
	})
}

func TestARegistryThatLimitsOrDeniesIsAskedLess(t *testing.T) {
	for name, tc := range map[string]struct {
		status, least, most int
		wait                time.Duration
	}{
		"a limit of ten minutes": {429, 5, 7, 10 * time.Minute},
		"busy for ten minutes":   {503, 5, 7, 10 * time.Minute},
		"denied":                 {403, 4, 8, 0},
		"a server error":         {503, 12, 60, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				a, b := push(g.hub, "acme/app:latest", "1"), push(g.hub, "acme/app:edge", "2")
				up := time.Now().Add(time.Hour)
				g.hub.Fail(1000, dockerhubtest.Failure{Status: tc.status, RetryAfter: tc.wait})
				defer g.start(g.catchUp("latest", "edge"))()
				advance(time.Until(up) - time.Second)
				if n := count(g.hub, "HEAD"); n < tc.least || n > tc.most {
					t.Errorf("%d requests in an hour, want %d to %d", n, tc.least, tc.most)
				}
				g.hub.StopFailing()
				advance(time.Hour)
				g.wantRan("acme/app:latest@"+a, "acme/app:edge@"+b)
			})
		})
	}
}

// The tag is back at its first digest, whose delivery the inbox knows.
func TestADamagedCursorHandsTheDigestOverAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		a := "acme/app:latest@" + push(g.hub, "acme/app:latest", "1")
		stop := g.start(g.catchUp("latest"))
		advance(time.Minute)
		b := "acme/app:latest@" + push(g.hub, "acme/app:latest", "2")
		advance(11 * time.Minute)
		stop()
		push(g.hub, "acme/app:latest", "1")
		now, err := g.inbox.Cursor(t.Context(), "dockerhub acme/app:latest")
		if err == nil {
			err = g.inbox.SetCursor(t.Context(), "dockerhub acme/app:latest", now, "damaged")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer g.start(g.catchUp("latest"))()
		advance(time.Hour)
		g.wantRan(a, b, a)
	})
}
