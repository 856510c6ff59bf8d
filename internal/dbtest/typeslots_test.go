package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Twenty slow deliveries are older than the fast ones, and the first of them ends after
// the last fast one. So a Worker of two slots whose slow type held both would never end.
func TestDrainKeepsASlotFreeOfATypeWithItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		const each = 20
		in, _ := e.open(t)
		for _, typ := range []string{"alpha.slow", "alpha.fast"} {
			for i := range each {
				d := delivery(fmt.Sprint(typ, i%3))
				d.Type = typ
				put(t, in, d)
			}
		}
		var (
			fast    sync.WaitGroup
			slow    atomic.Int32
			handler webhook.Mux
		)
		fast.Add(each)
		handler.Route("alpha.fast", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			fast.Done()
			return nil
		}))
		handler.Route("alpha.slow", webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			defer slow.Add(-1)
			if n := slow.Add(1); n > 1 {
				t.Errorf("%d slow ones at once, want 1", n)
			}
			fast.Wait()
			return nil
		}))
		w := webhook.NewWorker(in, &handler)
		w.Logger, w.Concurrency = slog.New(slog.DiscardHandler), 2
		w.Types = map[string]webhook.Policy{"alpha.slow": {Concurrency: 1}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		wantNil(t, w.Drain(ctx))
		stats, err := in.Stats(t.Context())
		must(t, err)
		if got := stats.Count[webhook.Done]; got != 2*each {
			t.Errorf("%d are done, want %d", got, 2*each)
		}
	})
}
