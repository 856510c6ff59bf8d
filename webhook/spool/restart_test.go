package spool_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestSpoolLosesNothingAndKeepsOrderIfItIsStoppedOrKilledAtAnyPoint(t *testing.T) {
	for seed := range uint64(4) {
		synctestRun(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			sim := &simulation{
				primary: &webhook.MemInbox{}, local: &webhook.MemInbox{}, rng: rand.New(rand.NewPCG(seed, 0)),
				calls: make(map[string]*sent), handled: make(map[string][]string),
			}
			w := webhook.NewWorker(sim.primary, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
				sim.mu.Lock()
				defer sim.mu.Unlock()
				sim.handled[d.OrderingKey] = append(sim.handled[d.OrderingKey], d.ID)
				return nil
			}))
			w.Logger = slog.New(slog.DiscardHandler)
			defer start(t, w)()
			sim.start(t)
			ctx, cancel := context.WithCancel(t.Context())
			var senders sync.WaitGroup
			for i := range 6 {
				senders.Go(func() { sim.send(ctx, t, fmt.Sprint("key", i/2), i) })
			}
			for range 40 {
				<-time.After(sim.upTo(3 * time.Second))
				sim.disturb(t)
			}
			cancel()
			senders.Wait()
			sim.mu.Lock()
			sim.faultless = true
			sim.mu.Unlock()
			advance(5 * time.Minute)
			require.Zero(t, pendingIn(t, sim.local))
			n := sim.check(t)
			require.Greater(t, n, 100)
			t.Log(n, "acknowledged;", len(sim.calls), "sent")
			sim.quit()
			advance(time.Minute)
		})
	}
}
