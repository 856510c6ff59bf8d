package sqlinbox

import (
	"context"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Stale reports whether a newer delivery of the same (Source, OrderingKey) is already
// done, so that acting on d would bring back an older state: for example, d is a push
// that is replayed after a newer push was deployed. A delivery is newer if it was first
// stored later; a replay does not change that. A delivery without an ordering key, or
// one that this inbox does not have, is never stale. Stale does not know of newer
// deliveries that [Inbox.Sweep] or [Inbox.Discard] has deleted.
func (in *Inbox) Stale(ctx context.Context, d *webhook.Delivery) (bool, error) {
	if d.OrderingKey == "" {
		return false, nil
	}
	var n int
	a := args{"source": d.Source, "key": d.OrderingKey, "uid": d.UID}
	err := in.query(ctx, in.db, "stale", a, scanOne(&n))
	return n > 0, err
}

// SkipStale returns a Handler that calls h, except for a delivery that is
// [Inbox.Stale]: for that it returns [webhook.ErrIgnored]. It panics on a nil Handler.
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
