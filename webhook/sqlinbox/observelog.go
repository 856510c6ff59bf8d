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
	debug := func(msg string, attrs ...slog.Attr) {
		to := l
		if to == nil {
			to = slog.Default()
		}
		to.LogAttrs(context.Background(), slog.LevelDebug, msg, attrs...)
	}
	return &Observer{
		Stored: func(d *webhook.Delivery, took time.Duration) {
			debug("delivery stored", slog.Any("delivery", d), slog.Duration("took", took))
		},
		Duplicate: func(d *webhook.Delivery, known *webhook.DuplicateError) {
			debug("delivery is a duplicate", slog.Any("delivery", d), slog.String("of", known.UID), slog.String("state", string(known.State)))
		},
		Superseded: func(uid string, by *webhook.Delivery) {
			debug("delivery superseded", slog.String("uid", uid), slog.Any("by", by))
		},
		Batch: func(puts, bytes int, took time.Duration, err error) {
			if err == nil {
				debug("batch committed", slog.Int("puts", puts), slog.Int("bytes", bytes), slog.Duration("took", took))
			}
		},
		Swept: func(n int) { debug("finished deliveries deleted", slog.Int("count", n)) },
	}
}
