package sqlinbox

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Extend renews a lease; see [webhook.Queue]. If the claim has been settled with a
// final state, as [Inbox.SettleTx] may have done, Extend does nothing and returns nil.
func (in *Inbox) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.Delivery == nil {
		return webhook.ErrClaimLost
	}
	a := args{"uid": c.Delivery.UID, "fence": c.Fence, "lease": microseconds(lease)}
	var claimHeld bool
	err := in.engine.stmt(ctx, func(ctx context.Context, s session) error {
		n, err := in.exec(ctx, s, "extend", a)
		if claimHeld = n > 0; err == nil && !claimHeld {
			var state webhook.State
			state, err = in.settled(ctx, s, c)
			claimHeld = state.Final()
		}
		return err
	})
	if err == nil && !claimHeld {
		err = lost(c)
	}
	return err
}
