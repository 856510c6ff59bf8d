package main

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// overtaking is the queue of a worker that keeps the deliveries of an ordering key in
// order while one of them fails, but not for longer than blockTimeout after it was
// received: then later ones overtake it. Until then they wait in the inbox and cost
// no attempts.
type overtaking struct {
	*store
	blockTimeout time.Duration
}

// Settle lets later deliveries of the ordering key run while a delivery that is older
// than blockTimeout waits for its retry. The retry of a younger one comes no later than
// that, so that none is blocked longer.
func (q overtaking) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	if o.State == webhook.Waiting {
		left := q.blockTimeout - time.Since(c.Delivery.ReceivedAt)
		if left > 0 {
			o.Delay = min(o.Delay, left)
		}
		o.RetryOutOfOrder = left <= 0
	}
	return q.store.Settle(ctx, c, o)
}
