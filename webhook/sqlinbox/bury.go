package sqlinbox

import (
	"context"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Bury gives up a delivery that is not claimed; see [webhook.Admin]. On PostgreSQL it
// waits for a transaction that holds the ordering key, until ctx ends.
func (in *Inbox) Bury(ctx context.Context, uid string, n webhook.Note) error {
	n, err := checkedNote(ctx, n, "a burial")
	if err != nil {
		return err
	}
	r, err := in.Get(ctx, uid)
	if err != nil {
		return err
	}
	if r.State != webhook.Waiting && r.State != webhook.Blocked {
		return fmt.Errorf("%w: %s is %s", webhook.ErrState, uid, r.State)
	}
	k := orderKey{r.Delivery.Source, r.Delivery.OrderingKey}
	done := false
	err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
		if k.key != "" {
			if _, err := in.engine.lock(ctx, s, k, lockMode{waits: true}); err != nil {
				return err
			}
		}
		a := args{"uid": uid, "source": k.source, "key": k.key, "reason": endedBy("buried", n)}
		rows, err := in.exec(ctx, s, "bury", a)
		if done = rows > 0; err != nil || !done || k.key == "" {
			return err
		}
		return in.promote(ctx, s, k)
	})
	switch {
	case err != nil:
		return err
	case !done:
		return in.stateError(ctx, uid) // it has changed since
	}
	in.logger().Warn("delivery is dead: buried", "delivery", r.Delivery, "by", n.By, "why", n.Why)
	in.notify()
	return nil
}

// endedBy returns the reason of a delivery that was buried or given up.
func endedBy(how string, n webhook.Note) string {
	text := how + " by " + n.By
	if n.Why != "" {
		text += ": " + n.Why
	}
	return reason(text)
}

// stateError says that the state of a delivery does not allow an operation.
func (in *Inbox) stateError(ctx context.Context, uid string) error {
	r, err := in.Get(ctx, uid)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s is %s", webhook.ErrState, uid, r.State)
}
