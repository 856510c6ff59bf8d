package sqlinbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// LogObserver returns an Observer that logs to l, at level Debug, the deliveries that
// are stored, duplicate, superseded or deleted, and the batches that are committed. It
// does not log refusals: the caller of Put does. If l is nil, it is [slog.Default] at
// the time of each event.
func LogObserver(l *slog.Logger) *Observer {
	debug := func(ctx context.Context, msg string, attrs ...slog.Attr) {
		to := l
		if to == nil {
			to = slog.Default()
		}
		to.LogAttrs(ctx, slog.LevelDebug, msg, attrs...)
	}
	return &Observer{
		Stored: func(ctx context.Context, d *webhook.Delivery, took time.Duration) {
			debug(ctx, "delivery stored", slog.Any("delivery", d), slog.Duration("took", took))
		},
		Duplicate: func(ctx context.Context, d *webhook.Delivery, known *webhook.DuplicateError) {
			debug(ctx, "delivery is a duplicate", slog.Any("delivery", d), slog.String("of", known.UID), slog.String("state", string(known.State)))
		},
		Superseded: func(ctx context.Context, uid string, by *webhook.Delivery) {
			debug(ctx, "delivery superseded", slog.String("uid", uid), slog.Any("by", by))
		},
		Batch: func(puts, bytes int, took time.Duration, err error) {
			if err == nil {
				debug(context.Background(), "batch committed", slog.Int("puts", puts), slog.Int("bytes", bytes), slog.Duration("took", took))
			}
		},
		Swept: func(ctx context.Context, n int) { debug(ctx, "finished deliveries deleted", slog.Int("count", n)) },
	}
}
