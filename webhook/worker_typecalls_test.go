package webhook_test

import (
	"context"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A type that has nothing to do and room for one delivery must not make the calls of
// the others small.
func TestAnIdleTypeDoesNotMakeClaimsOfOthersSmall(t *testing.T) {
	for _, test := range []struct {
		name  string
		types []string
	}{
		{"all types have a Concurrency", []string{"idle.a", "busy.a"}},
		{"one type has none", []string{"idle.a", "busy.a", "other.a"}},
	} {
		synctestRun(t, test.name, func(t *testing.T) {
			mem := &webhook.MemInbox{}
			in := &claimLog{Inbox: mem}
			h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(time.Second); return nil })
			w, _ := newTestWorker(plainInbox{in}, muxOf(h, test.types...))
			w.Concurrency, w.PollInterval = 101, time.Hour
			w.Types = map[string]webhook.Policy{"idle.a": {Concurrency: 1}, "busy.a": {Concurrency: 100}}
			const deliveries = 100
			putEach(t, mem, deliveries, "busy.a")
			stop := start(t, w)
			advance(10 * time.Millisecond)
			if got := len(ran()); got != deliveries {
				t.Errorf("%d of %d deliveries run", got, deliveries)
			}
			if calls := in.take(); len(calls) > 6 {
				t.Errorf("%d calls for %d deliveries, want at most 6: %v", len(calls), deliveries, calls[:6])
			}
			advance(time.Minute)
			stop()
		})
	}
}
