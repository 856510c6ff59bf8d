package webhook

import (
	"context"
	"log/slog"
	"time"
)

// LogObserver returns an Observer that writes what goes well to l: deliveries
// received, claimed and settled, at level Debug. Refusals, failures and lost
// claims are not among it: Receivers and Workers log those themselves, once.
// Nil means [slog.Default], looked up at each event.
func LogObserver(l *slog.Logger) *Observer {
	debug := func(msg string, attrs ...slog.Attr) {
		logger(l).LogAttrs(context.Background(), slog.LevelDebug, msg, attrs...)
	}
	return &Observer{
		Received: func(d *Delivery, err error, took time.Duration) {
			if err == nil {
				debug("delivery received", slog.Any("delivery", d), slog.Duration("took", took))
			}
		},
		Claimed: func(c Claim) {
			debug("delivery claimed", slog.Any("delivery", c.Delivery), slog.Int("attempt", c.Attempt))
		},
		Settled: func(c Claim, o Outcome, took time.Duration) {
			debug("delivery settled", slog.Any("delivery", c.Delivery), slog.Int("attempt", c.Attempt),
				slog.String("state", string(o.State)), slog.Duration("took", took))
		},
	}
}
