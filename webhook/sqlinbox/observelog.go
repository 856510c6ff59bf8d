package sqlinbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// LogObserver returns an Observer that writes to l, at level Debug, what is
// stored, known, superseded and deleted. Refused is not among it: the caller of
// Put logs its error. Nil means [slog.Default], looked up at each event.
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
