package prom_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/prom"
)

// A silentInbox never answers a Claim once it is silent.
type silentInbox struct {
	webhook.Inbox // without the other methods of a MemInbox, so that it is polled
	silent        chan struct{}
}

func (in *silentInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	select {
	case <-in.silent:
		return nil, errors.New("no answer")
	default:
		return in.Inbox.Claim(ctx, o)
	}
}

func TestHealthOfAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &silentInbox{Inbox: new(webhook.MemInbox), silent: make(chan struct{})}
		worker := webhook.NewWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		worker.Concurrency, worker.Logger = 3, slog.New(slog.NewTextHandler(io.Discard, nil))
		workers := map[string]*webhook.Worker{"main": worker}
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(prom.Health(workers))
		delete(workers, "main") // is no longer used
		want := func(when string, want map[string]float64) {
			t.Helper()
			for name, v := range want {
				got, ok := values(t, registry, "hookhouse_worker_"+name, "worker")["main"]
				if !ok || got != v {
					t.Errorf("%s: %s is %v, want %v", when, name, got, v)
				}
			}
		}
		want("before Run", map[string]float64{"running": 0, "slots": 0, "slots_in_use": 0, "last_claim_timestamp_seconds": 0})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- worker.Run(ctx) }()
		if err := in.Put(ctx, webhook.NewDelivery("acme", "acme.push", "", nil)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want("during Run", map[string]float64{
			"running": 1, "slots": 3, "slots_in_use": 1, "slots_overdue": 0, "slots_unsettled": 0, "suspects": 0, "claim_wait_seconds": 0,
		})
		last := values(t, registry, "hookhouse_worker_last_claim_timestamp_seconds", "worker")["main"]
		if age := float64(time.Now().UnixMilli())/1000 - last; age < 0 || age > 2 {
			t.Errorf("the last claim was %v s ago, want at most 2", age)
		}
		close(in.silent)
		time.Sleep(time.Minute)
		if waited := values(t, registry, "hookhouse_worker_claim_wait_seconds", "worker")["main"]; waited < 50 || waited > 61 {
			t.Errorf("the Worker has waited %v s for a claim, want some 60", waited)
		}
		cancel()
		<-ended
		want("after Run", map[string]float64{"running": 0, "slots_in_use": 0})
	})
}
