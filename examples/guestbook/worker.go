package main

import (
	"context"
	"log/slog"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// work sends to the webhooks until ctx ends, and serves -admin-addr if it is set.
func work(ctx context.Context, publisher *publish.Publisher, admin *adminServer, log *slog.Logger) error {
	log.Info("sending")
	if admin == nil {
		return publisher.Run(ctx)
	}
	return webhook.Serve(ctx, admin.server, admin.listener, publisher)
}
