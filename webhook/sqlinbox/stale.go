package sqlinbox

import (
	"context"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Stale reports whether a delivery of the same (Source, OrderingKey) that was
// stored later, at first, is already done, so that acting on d would bring back
// an older state: a push replayed from the dead letters after a newer one was
// deployed. One without an ordering key is never stale, nor one that this inbox
// does not have. It knows what [Inbox.Sweep] has not deleted.
func (in *Inbox) Stale(ctx context.Context, d *webhook.Delivery) (bool, error) {
	if d.OrderingKey == "" {
		return false, nil
	}
	var n int
	a := args{"source": d.Source, "key": d.OrderingKey, "uid": d.UID}
	err := in.query(ctx, in.db, "stale", a, scanOne(&n))
	return n > 0, err
}

// SkipStale returns a Handler that hands to h what is not [Inbox.Stale], and
// answers [webhook.ErrIgnored] for what is. It panics on a nil Handler.
func (in *Inbox) SkipStale(h webhook.Handler) webhook.Handler {
	if h == nil {
		panic("sqlinbox: SkipStale needs a handler")
	}
	return webhook.Wrap(h, func(ctx context.Context, next webhook.Handler, d *webhook.Delivery) error {
		stale, err := in.Stale(ctx, d)
		if err != nil {
			return err
		}
		if stale {
			return fmt.Errorf("%w: a newer delivery of %s is done", webhook.ErrIgnored, d.OrderingKey)
		}
		return next.Handle(ctx, d)
	})
}
