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
	return &skipper{in, h}
}

type skipper struct {
	inbox *Inbox
	next  webhook.Handler
}

func (s *skipper) Types() []string {
	if r, ok := s.next.(webhook.Router); ok {
		return r.Types()
	}
	return nil
}

func (s *skipper) Handle(ctx context.Context, d *webhook.Delivery) error {
	stale, err := s.inbox.Stale(ctx, d)
	if err != nil {
		return err
	}
	if stale {
		return fmt.Errorf("%w: a newer delivery of %s is done", webhook.ErrIgnored, d.OrderingKey)
	}
	return s.next.Handle(ctx, d)
}
