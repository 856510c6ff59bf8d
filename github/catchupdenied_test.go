package github_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestWhatThePersonMustMendIsSaidOnce(t *testing.T) {
	for _, tt := range []struct {
		name       string
		ruin, mend func(g *catchUpRig)
		said       string
	}{
		{"an expired token",
			func(g *catchUpRig) { g.gh.SetToken(webhook.NewSecret("a new token"), false) },
			func(g *catchUpRig) { g.gh.SetToken(webhook.NewSecret("token"), false) }, "Bad credentials"},
		{"a token that cannot write",
			func(g *catchUpRig) { g.gh.SetToken(webhook.NewSecret("token"), true) },
			func(g *catchUpRig) { g.gh.SetToken(webhook.NewSecret("token"), false) }, "Resource not accessible"},
		{"a hook that is gone",
			func(g *catchUpRig) { g.gh.Rename("repos/acme/app", "repos/acme/gone"); g.gh.Forget("repos/acme/app") },
			func(g *catchUpRig) { g.gh.Rename("repos/acme/gone", "repos/acme/app") }, "Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(3)
				tt.ruin(g)
				stop := g.start(g.catchUp())
				catchuptest.Advance(2 * time.Hour)
				g.wantSaid(1, tt.said)
				if n := len(g.gh.Requests()); n > 25 {
					t.Errorf("%d requests in two hours", n)
				}
				synctest.Wait()
				tt.mend(g)
				catchuptest.Advance(time.Hour)
				stop()
				g.wantAllRun()
				g.wantSaid(1, "works again")
			})
		})
	}
}

func TestARenamedRepositoryIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(3)
		g.gh.Rename("repos/acme/app", "repos/acme/new-name")
		defer g.start(g.catchUp())()
		catchuptest.Advance(time.Minute)
		g.wantAllRun()
		g.wantSaid(1, "another name")
	})
}

func TestTheTokenGoesToNoOtherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "api.github.com" {
				t.Errorf("%s was called", r.URL.Host)
			}
			return webhooktest.InMemory(http.RedirectHandler("https://other.example/", http.StatusMovedPermanently)).RoundTrip(r)
		})
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		if err := c.Status().Err; !errors.Is(err, github.ErrAnswer) || strings.Contains(err.Error(), "example") {
			t.Errorf("the error is %v", err)
		}
	})
}
