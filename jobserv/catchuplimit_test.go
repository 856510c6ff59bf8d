package jobserv_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestLimitsAreRespected(t *testing.T) {
	for _, tt := range []struct {
		name    string
		failure jobservtest.Failure
		wait    time.Duration
	}{
		{"429 with Retry-After", jobservtest.Failure{Status: 429, RetryAfter: 100 * time.Second}, 100 * time.Second},
		{"429 without a time", jobservtest.Failure{Status: 429}, time.Minute},
		{"503 with Retry-After", jobservtest.Failure{Status: 503, RetryAfter: 30 * time.Second}, 30 * time.Second},
		{"403 with Retry-After", jobservtest.Failure{Status: 403, RetryAfter: 40 * time.Second, Message: "slow down"}, 40 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(3)
				before := len(g.ci.Requests())
				g.ci.Fail(1, tt.failure)
				other := jobserv.NewCatchUp(g.client, "acme/other", g.source, g.inbox) // shares the limit
				other.Logger = catchuptest.Quiet()
				g.ci.AddProject("acme/other")
				defer g.run(g.catchUp())()
				catchuptest.Advance(time.Second)
				defer g.run(other)()
				catchuptest.Advance(tt.wait - 2*time.Second)
				if n := len(g.ci.Requests()) - before; n != 1 {
					t.Errorf("%d requests before the limit ends, want 1", n)
				}
				catchuptest.Advance(time.Minute)
				g.wantAllRun()
				g.wantSaid(1, "rate limited until")
			})
		})
	}
}

func TestRetryAfterAsADateIsByTheServersClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		var calls atomic.Int64
		g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
			calls.Add(1)
			return webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				there := time.Now().Add(-7 * time.Hour).UTC()
				w.Header().Set("Date", there.Format(http.TimeFormat))
				w.Header().Set("Retry-After", there.Add(10*time.Minute).Format(http.TimeFormat))
				w.WriteHeader(429)
			})).RoundTrip(r)
		})
		defer g.run(g.catchUp())()
		catchuptest.Advance(9 * time.Minute)
		if n := calls.Load(); n != 1 {
			t.Errorf("%d requests in nine minutes, want 1", n)
		}
		catchuptest.Advance(2 * time.Minute)
		if n := calls.Load(); n != 2 {
			t.Errorf("%d requests in eleven minutes, want 2", n)
		}
	})
}

// A limit that allows less than one look still lets it come through.
func TestALimitThatEndsInTheMiddleOfEachLookLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		var open []int64
		for range 12 {
			open = append(open, g.start())
		}
		g.missed(230)
		g.net.Set(catchuptest.Each(catchuptest.Refused))
		for _, id := range open {
			g.finish(id)
		}
		g.net.Set(nil)
		catchuptest.Advance(time.Minute)
		g.client.Transport = perMinute(3, g.client.Transport)
		c := g.catchUp()
		defer g.run(c)()
		catchuptest.Advance(time.Duration(230+5+24)/3*time.Minute + 2*time.Minute)
		g.wantAllRun()
		g.wantSaid(1, "rate limited until")
		if s := c.Status(); s.Stored != 242 || s.Lost != 0 || s.Missing != 0 {
			t.Errorf("status %+v", s)
		}
	})
}
