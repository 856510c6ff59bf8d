package kudu_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// removeHooks removes all hooks of the site.
func (g *catchUpRig) removeHooks() {
	g.t.Helper()
	for _, h := range must[[]kudu.Hook](g.t)(g.client.List(g.t.Context())) {
		g.check(g.client.Unsubscribe(g.t.Context(), h.ID))
	}
}

func TestARemovedHookIsPutBackAndWhatItMissedIsFound(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(2)
		c := g.catchUp()
		c.Hook, c.Every = g.hook(), 5*time.Minute
		defer g.start(c)()
		catchuptest.Advance(time.Hour)
		if s := c.Status(); s.Hooks != 0 {
			t.Errorf("a hook that is there was put there %d times", s.Hooks)
		}
		g.removeHooks()
		g.send(3) // calls nobody
		catchuptest.Advance(6 * time.Minute)
		g.wantAllRun()
		if hooks := g.site.Hooks(); len(hooks) != 1 || hooks[0].URL != receiverURL || c.Status().Hooks != 1 {
			t.Errorf("hooks %v, status %+v", hooks, c.Status())
		}
		found := c.Status().Found
		g.send(3) // calls the receiver
		catchuptest.Advance(6 * time.Minute)
		g.wantAllRun()
		if n := c.Status().Found - found; n != 0 {
			t.Errorf("%d were missing after the hook was put back", n)
		}
		g.wantSaid(1, "is put there")
		g.wantSaid(0, token)
	})
}

// A hook that cannot be put back does not keep the look from what was missed.
func TestAHookThatCannotBePutBackIsSaidOnce(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(4)
		up, begun := g.client.Transport, time.Now()
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "hooks") && time.Since(begun) < time.Hour {
				return webhooktest.InMemory(answering(http.StatusInternalServerError, "")).RoundTrip(r)
			}
			return up.RoundTrip(r)
		})
		c := g.catchUp()
		c.Hook = g.hook()
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		if err := c.Status().Err; !errors.Is(err, kudu.ErrServer) {
			t.Errorf("got %v, want ErrServer", err)
		}
		catchuptest.Advance(2 * time.Hour)
		g.wantAllRun()
		g.wantSaid(1, "catch-up fails")
		g.wantSaid(1, "catch-up works again")
	})
}

// Only a person ends the conflict, and until then the looks are what finds the events.
func TestAHookOfAnotherProgramDelaysNoLook(t *testing.T) {
	forBoth(t, func(t *testing.T, g *catchUpRig) {
		g.missed(4)
		up := g.client.Transport
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "hooks") {
				return webhooktest.InMemory(answering(http.StatusConflict, "")).RoundTrip(r)
			}
			return up.RoundTrip(r)
		})
		c := g.catchUp()
		c.Hook, c.Every = g.hook(), 5*time.Minute
		defer g.start(c)()
		catchuptest.Advance(2 * time.Hour)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		g.send(1)
		catchuptest.Advance(5*time.Minute + time.Second)
		g.wantAllRun()
		g.send(1)
		c.Look()
		catchuptest.Advance(10 * time.Second)
		g.wantAllRun()
		if err := c.Status().Err; !errors.Is(err, kudu.ErrHookConflict) {
			t.Errorf("got %v, want ErrHookConflict", err)
		}
		g.wantSaid(1, "catch-up fails")
	})
}
