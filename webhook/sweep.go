package webhook

import (
	"context"
	"time"
)

// sweepInterval is how often a Worker calls the inbox's Sweep.
const sweepInterval = time.Minute

// sweep calls the inbox's Sweep every minute until ctx ends, each time until there is
// nothing more to delete.
func (w *Worker) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		w.sweepAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweepAll calls the inbox's Sweep until there is nothing more to delete, or ctx ends.
func (w *Worker) sweepAll(ctx context.Context) {
	for {
		n, err := w.inbox.sweep(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.logger().Error("sweep failed", "reason", err)
		}
		if err != nil || n == 0 {
			return
		}
	}
}
