package main

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/webhook"
)

// work runs what sends to the webhooks, and the server of -admin-addr if it is set, until ctx ends or
// one of them fails.
func work(ctx context.Context, runners []webhook.Runner, log *slog.Logger) error {
	log.Info("sending")
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range runners {
		group.Go(func() error { return r.Run(ctx) })
	}
	return group.Wait()
}
