package github_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
)

// The figures are those of "Missed deliveries" in the package comment.
func TestTheCostOfABacklogOfTenThousand(t *testing.T) {
	const events = 10_000
	for how, tt := range map[string]struct {
		readAPI  bool
		requests int
		most     time.Duration
	}{
		"by redelivery": {false, events + 500, 3 * time.Hour},
		"by the API":    {true, events + 500, 3 * time.Hour},
	} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newCatchUpRig(t)
				g.missed(events)
				c := g.catchUp()
				c.ReadAPI = tt.readAPI
				before, began, held := len(g.gh.Requests()), time.Now(), catchuptest.Heap()
				peak := held
				defer g.start(c)()
				for c.Status().Settled < events && time.Since(began) < 2*tt.most {
					catchuptest.Advance(10 * time.Minute)
					peak = max(peak, catchuptest.Heap())
				}
				took, requests := time.Since(began), len(g.gh.Requests())-before
				catchuptest.Advance(10 * time.Minute) // for the second attempts
				g.wantAllRun()
				t.Logf("%d events: %d requests, %v, %d MiB with the stand-in and the inbox", events, requests, took, (peak-held)>>20)
				if requests > tt.requests || took > tt.most {
					t.Errorf("%d requests and %v, want at most %d and %v", requests, took, tt.requests, tt.most)
				}
			})
		})
	}
}

// The looks of a thousand hooks that are quiet are spread over the interval.
func TestTheCostOfAThousandQuietHooks(t *testing.T) {
	const hooks, every = 1000, 10 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		before := catchuptest.Heap()
		var all []webhook.Runner
		for id := range hooks {
			c := g.catchUpOf(int64(1000 + id))
			c.Every = every
			all = append(all, c)
		}
		defer catchuptest.Run(t, all...)()
		catchuptest.Advance(every)
		t.Logf("%d hooks hold %d KiB", hooks, (catchuptest.Heap()-before)>>10)
		first := len(g.gh.Requests())
		catchuptest.Advance(3 * every)
		perMinute := make(map[time.Time]int)
		for _, r := range g.gh.Requests()[first:] {
			perMinute[r.At.Truncate(time.Minute)]++
			if r.Method != http.MethodGet || r.Status != http.StatusNotModified {
				t.Fatalf("%+v, want a 304", r)
			}
		}
		most := 0
		for _, n := range perMinute {
			most = max(most, n)
		}
		requests := len(g.gh.Requests()) - first
		t.Logf("%d hooks, %d requests in %v, at most %d in a minute", hooks, requests, 3*every, most)
		if requests != 3*hooks || most > 2*hooks/10 {
			t.Errorf("%d requests, at most %d in a minute, want one for each look, and %d", requests, most, 2*hooks/10)
		}
	})
}
