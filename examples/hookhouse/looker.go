package main

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A looker follows a database: it looks at it once in the time of every.
type looker struct {
	*tailer
	every time.Duration
	ticks *time.Ticker // nil before the first look
}

// next waits for its turn and looks.
func (l *looker) next(ctx context.Context) ([]webhook.Record, bool, error) {
	if l.ticks == nil {
		l.ticks = time.NewTicker(l.every)
	}
	select {
	case <-ctx.Done():
		return nil, false, ctx.Err()
	case <-l.ticks.C:
	}
	changed, err := l.look(ctx)
	return changed, l.missed, err
}

func (l *looker) close() {
	if l.ticks != nil {
		l.ticks.Stop()
	}
}
