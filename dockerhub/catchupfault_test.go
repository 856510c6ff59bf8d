package dockerhub_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestAnInboxThatFailsInBetweenLosesNothingAndRepeatsNothing(t *testing.T) {
	for name, part := range map[string]func(in *catchuptest.FlakyInbox) *atomic.Bool{
		"at the put":    func(in *catchuptest.FlakyInbox) *atomic.Bool { return &in.PutDown },
		"at the cursor": func(in *catchuptest.FlakyInbox) *atomic.Bool { return &in.SetDown },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				in := &catchuptest.FlakyInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
				g.inbox = in
				a := push(g.hub, "acme/app:latest", "1")
				part(in).Store(true)
				stop := g.start(g.catchUp("latest"))
				catchuptest.Advance(time.Hour)
				stop()
				if n := g.log.Count("was not handed over"); n > 1 {
					t.Errorf("what was found was logged %d times", n)
				}
				part(in).Store(false)
				defer g.start(g.catchUp("latest"))()
				catchuptest.Advance(time.Hour)
				g.wantRan("acme/app:latest@" + a)
				if n := g.log.Count("catch-up fails"); n != 1 {
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
		catchuptest.Advance(time.Hour)
		g.wantRan("acme/app:edge@" + b)
		if err := c.Status().Err; !errors.Is(err, dockerhub.ErrAnswer) {
			t.Errorf("got %v, want ErrAnswer", err)
		}
		g.hub.StopFailing()
		a := push(g.hub, "acme/app:latest", "1")
		x := push(g.hub, "acme/app:absent", "3")
		catchuptest.Advance(time.Hour)
		g.wantRan("acme/app:edge@"+b, "acme/app:absent@"+x, "acme/app:latest@"+a)
		for _, text := range []string{"does not have a tag", "catch-up fails", "works again"} {
			if n := g.log.Count(text); n != 1 {
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
				catchuptest.Advance(time.Until(up) - time.Second)
				if n := count(g.hub, "HEAD"); n < tc.least || n > tc.most {
					t.Errorf("%d requests in an hour, want %d to %d", n, tc.least, tc.most)
				}
				g.hub.StopFailing()
				catchuptest.Advance(time.Hour)
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
		catchuptest.Advance(time.Minute)
		b := "acme/app:latest@" + push(g.hub, "acme/app:latest", "2")
		catchuptest.Advance(11 * time.Minute)
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
		catchuptest.Advance(time.Hour)
		g.wantRan(a, b, a)
	})
}
