package jobserv_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// perMinute lets n requests of each minute through. The others are 429, with Retry-After
// until the next one.
func perMinute(n int, up http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	minute, left := int64(0), 0
	return catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		now := time.Now().Unix()
		if now/60 != minute {
			minute, left = now/60, n
		}
		left--
		isOver := left < 0
		mu.Unlock()
		if !isOver {
			return up.RoundTrip(r)
		}
		return webhooktest.InMemory(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", strconv.FormatInt(60-now%60, 10))
			w.WriteHeader(http.StatusTooManyRequests)
		})).RoundTrip(r)
	})
}

// A heapInbox forgets deliveries, so that what is in memory is the CatchUp's.
type heapInbox struct {
	*webhook.MemInbox
	puts  atomic.Int64
	first int64 // bytes in use at the first Put
}

func (in *heapInbox) Put(context.Context, *webhook.Delivery) error {
	if in.puts.Add(1) == 1 {
		in.first = catchuptest.Heap()
	}
	return nil
}

// The figures of the package comment come from this test: go test -v -run Backlog ./jobserv
func TestABacklogTakesTheTimeOfTheRateLimit(t *testing.T) {
	const builds, limit = 10_000, 100
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		in := &heapInbox{MemInbox: g.inbox.(*webhook.MemInbox)}
		g.inbox = in
		const name = "acme/busy"
		g.ci.AddProject(name)
		newCatchUp := func() *jobserv.CatchUp {
			c := jobserv.NewCatchUp(g.client, name, g.source, g.inbox)
			c.Logger = g.catchUp().Logger
			return c
		}
		stop := catchuptest.Run(t, newCatchUp())
		catchuptest.Advance(time.Minute)
		stop()
		for range builds {
			id := g.ci.Start(name)
			catchuptest.Advance(30 * time.Second)
			g.ci.Finish(t.Context(), name, id, jobserv.Passed)
		}
		catchuptest.Advance(time.Hour)
		g.client.Transport = perMinute(limit, g.client.Transport)
		before, asked, begun := catchuptest.Heap(), len(g.ci.Requests()), time.Now()
		c := newCatchUp()
		defer catchuptest.Run(t, c)()
		for in.puts.Load() < builds && time.Since(begun) < 24*time.Hour {
			catchuptest.Advance(time.Second)
		}
		took, held := time.Since(begun), in.first-before
		asked = len(g.ci.Requests()) - asked
		t.Logf("%d builds: %d requests, %v at %d requests a minute, %d KiB held", builds, asked, took, limit, held>>10)
		if s := c.Status(); s.Found != builds || s.Stored != builds || s.Lost != 0 {
			t.Errorf("status %+v, want %d stored", s, builds)
		}
		if want := builds + builds/50; asked > want+5 {
			t.Errorf("%d requests, want about %d", asked, want)
		}
		if most := time.Duration(asked/limit+2) * time.Minute; took > most {
			t.Errorf("it took %v, want %v at most", took, most)
		}
		if held > 16<<20 {
			t.Errorf("%d bytes are held", held)
		}
		g.wantSaid(1, "rate limited until")
	})
}

// So do the figures of many projects: go test -v -run Spread ./jobserv
func TestIntervalsOfManyProjectsAreSpread(t *testing.T) {
	const projects, every = 1000, 10
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		before := catchuptest.Heap()
		for n := range projects {
			name := fmt.Sprint("acme/p", n)
			g.ci.AddProject(name)
			g.ci.Finish(t.Context(), name, g.ci.Start(name), jobserv.Passed)
			c := jobserv.NewCatchUp(g.client, name, g.source, g.inbox)
			c.Every, c.Logger = every*time.Minute, catchuptest.Quiet()
			defer catchuptest.Run(t, c)()
		}
		synctest.Wait()
		if n := len(g.ci.Requests()); n != projects {
			t.Fatalf("%d requests by the first looks, want one of each project", n)
		}
		held := catchuptest.Heap() - before
		catchuptest.Advance(2 * every * time.Minute)
		looks := g.ci.Requests()[projects:]
		least, most := len(looks), 0
		inMinute := make(map[int]int)
		for _, r := range looks {
			inMinute[int(r.At.Unix()/60)]++
		}
		for _, n := range inMinute {
			least, most = min(least, n), max(most, n)
		}
		t.Logf("%d projects: %d requests in %d minutes, %d to %d in a minute, %d bytes of each project held",
			projects, len(looks), 2*every, least, most, held/projects)
		if len(looks) != 2*projects || len(inMinute) != 2*every {
			t.Errorf("%d requests in %d minutes, want two of each project in %d", len(looks), len(inMinute), 2*every)
		}
		if mean := projects / every; least < mean*7/10 || most > mean*13/10 {
			t.Errorf("%d to %d looks in a minute, want about %d", least, most, mean)
		}
		if held/projects > 32<<10 {
			t.Errorf("%d bytes of each project are held", held/projects)
		}
	})
}
