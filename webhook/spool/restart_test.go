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

func TestSpoolStopAndStartOfEitherSideAtAnyPointLosesNothingAndKeepsOrder(t *testing.T) {
	for seed := range uint64(4) {
		synctestRun(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := &house{
				primary: &webhook.MemInbox{}, local: &webhook.MemInbox{}, rng: rand.New(rand.NewPCG(seed, 0)),
				calls: make(map[string]*sent), handled: make(map[string][]string),
			}
			w := webhook.NewWorker(h.primary, webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.handled[d.OrderingKey] = append(h.handled[d.OrderingKey], d.ID)
				return nil
			}))
			w.Logger = slog.New(slog.DiscardHandler)
			defer start(t, w)()
			h.start(t)
			ctx, cancel := context.WithCancel(t.Context())
			var senders sync.WaitGroup
			for i := range 6 {
				senders.Go(func() { h.send(ctx, t, fmt.Sprint("key", i/2), i) })
			}
			for range 40 {
				<-time.After(h.upTo(3 * time.Second))
				h.disturb(t)
			}
			cancel()
			senders.Wait()
			h.mu.Lock()
			h.healed = true
			h.mu.Unlock()
			advance(5 * time.Minute)
			require.Zero(t, pendingIn(t, h.local))
			n := h.check(t)
			require.Greater(t, n, 100)
			t.Log(n, "acknowledged;", len(h.calls), "sent")
			h.quit()
			advance(time.Minute)
		})
	}
}
