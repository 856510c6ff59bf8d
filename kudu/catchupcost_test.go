package kudu_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// The figures are those of "Cost of a catch-up" in the package comment.
func TestTheCostOfABacklogOfTenThousand(t *testing.T) {
	const events = 10_000
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.TriggeredJob("nightly"))
		g.missed(events)
		before, held, began := len(g.site.Calls()), catchuptest.Heap(), time.Now()
		c := g.catchUp()
		defer catchuptest.Run(t, c)()
		synctest.Wait()
		if took := time.Since(began); c.Status().Stored != events || took != 0 {
			t.Errorf("status %+v after %v, want all of them at once", c.Status(), took)
		}
		t.Logf("%d runs: %d requests, %d MiB with the stand-in and the inbox", events, len(g.site.Calls())-before, (catchuptest.Heap()-held)>>20)
		if n := len(g.site.Calls()) - before; n != 1 {
			t.Errorf("%d requests, want one", n)
		}
	})
}

// The looks of a thousand WebJobs that are quiet are spread over the interval.
func TestTheCostOfAThousandQuietTargets(t *testing.T) {
	const targets, every = 1000, 10 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t, kudu.Deployments())
		before := catchuptest.Heap()
		var all []webhook.Runner
		for n := range targets {
			run := g.run("")
			run.JobName = fmt.Sprint("job", n)
			g.site.RecordRun(run)
			c := kudu.NewCatchUp(g.client, kudu.TriggeredJob(run.JobName), source(), g.inbox)
			c.Every, c.Logger = every, catchuptest.Quiet()
			all = append(all, c)
		}
		defer catchuptest.Run(t, all...)()
		catchuptest.Advance(every)
		t.Logf("%d targets hold %d KiB", targets, (catchuptest.Heap()-before)>>10)
		first := len(g.site.Calls())
		catchuptest.Advance(3 * every)
		perMinute := make(map[time.Time]int)
		most := 0
		for _, r := range g.site.Calls()[first:] {
			at := r.At.Truncate(time.Minute)
			perMinute[at]++
			most = max(most, perMinute[at])
			if r.Method != http.MethodGet || r.Status != http.StatusNotModified {
				t.Fatalf("%+v, want a 304", r)
			}
		}
		requests := len(g.site.Calls()) - first
		t.Logf("%d targets, %d requests in %v, at most %d in a minute", targets, requests, 3*every, most)
		if requests != 3*targets || most > 2*targets/10 {
			t.Errorf("%d requests, at most %d in a minute, want one for each look, and %d", requests, most, 2*targets/10)
		}
	})
}
