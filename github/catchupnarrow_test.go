package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// GitHub answers 404 too if a classic token lacks the scope to ask for a redelivery.
func TestATokenThatCannotWriteAndGets404IsSaidOnce(t *testing.T) {
	for _, missing := range []int{1, 3, 60} {
		t.Run(fmt.Sprint(missing), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(missing)
				up := g.client.Transport
				var widened atomic.Bool
				var asked atomic.Int64
				g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost && !widened.Load() {
						asked.Add(1)
						return webhooktest.InMemory(http.NotFoundHandler()).RoundTrip(r)
					}
					return up.RoundTrip(r)
				})
				c := g.catchUp()
				stop := g.start(c)
				catchuptest.Advance(2 * time.Hour)
				if err := c.Status().Err; !errors.Is(err, github.ErrHookNotFound) {
					t.Errorf("the error of the status is %v", err)
				}
				if n := asked.Load(); n > 40 {
					t.Errorf("%d requests in two hours", n)
				}
				g.wantSaid(1, "catch-up fails")
				g.wantSaid(min(missing, 5), "cannot be had")
				widened.Store(true)
				catchuptest.Advance(time.Hour)
				stop()
				g.wantAllRun()
			})
		})
	}
}

// One that GitHub does not have any more holds up no others.
func TestADeliveryThatIsGoneHoldsUpNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		g.missed(30)
		up, posts := g.client.Transport, 0
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				if posts++; posts <= 12 && posts != 1 {
					return webhooktest.InMemory(http.NotFoundHandler()).RoundTrip(r)
				}
			}
			return up.RoundTrip(r)
		})
		c := g.catchUp()
		defer g.start(c)()
		catchuptest.Advance(time.Minute)
		if n := g.missing(); n != 11 || c.Status().Err != nil {
			t.Errorf("%d have not run, %v, want the 11 that were not found", n, c.Status().Err)
		}
		catchuptest.Advance(10 * time.Minute)
		g.wantAllRun()
	})
}
