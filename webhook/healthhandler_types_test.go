package webhook_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestHealthHandlerReportsWhatAWorkerDoes(t *testing.T) {
	synctestRun(t, "the last claim, the slots in use, and overdue callbacks, also by type", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w, _ := newTestWorker(in, muxOf(h, "alpha.one", "alpha.two", "alpha.event"))
		w.Concurrency, w.PollInterval, w.MaxAttempts = 5, 2*time.Second, 1
		w.Types = map[string]webhook.Policy{
			"alpha.one": {Concurrency: 1, Timeout: time.Minute},
			"alpha.two": {Concurrency: 3, Timeout: time.Hour},
		}
		for _, typ := range []string{"alpha.one", "alpha.two", "alpha.two", "alpha.event"} {
			putDelivery(t, in, "hang "+typ+time.Now().String(), typed(typ))
			advance(time.Second)
		}
		stop := start(t, w)
		advance(10 * time.Minute)
		status, report := probe(t, webhook.HealthHandler(in, w))
		if status != 200 {
			t.Errorf("status = %d, want 200: other deliveries run", status)
		}
		worker := report["workers"].([]any)[0].(map[string]any)
		claimed, err := time.Parse(time.RFC3339, worker["last_claim"].(string))
		if ago := time.Since(claimed); err != nil || ago < 0 || ago > 2*time.Second {
			t.Errorf("last_claim is %v ago (%v), want at most 2 s", ago, err)
		}
		delete(worker, "last_claim")
		want := map[string]any{
			"running": true, "slots": 5.0, "in_use": 4.0, "overdue": 1.0, "unsettled": 0.0, "suspects": 0.0,
			"types": map[string]any{
				"alpha.one": map[string]any{"slots": 1.0, "in_use": 1.0, "overdue": 1.0},
				"alpha.two": map[string]any{"slots": 3.0, "in_use": 2.0, "overdue": 0.0},
			},
		}
		if diff := cmp.Diff(want, worker); diff != "" {
			t.Errorf("worker (-want +got):\n%s", diff)
		}
		release(4)
		advance(time.Hour)
		stop()
	})
}
