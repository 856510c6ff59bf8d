package sqlinbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Release makes a delivery due now; see [Admin].
func (in *Inbox) Release(ctx context.Context, uid string) error {
	r, err := in.Get(ctx, uid)
	if err != nil {
		return err
	}
	switch r.State {
	case webhook.Claimed:
		c := webhook.Claim{Delivery: r.Delivery, Fence: r.Fence}
		err = in.Settle(ctx, c, webhook.Outcome{State: webhook.Waiting, Reason: r.Reason})
		if !errors.Is(err, webhook.ErrClaimLost) {
			return err
		}
	case webhook.Waiting:
		var n int64
		err = in.transact(ctx, func(ctx context.Context, s session) (err error) {
			n, err = in.exec(ctx, s, "release", args{"uid": uid})
			return err
		})
		in.notify()
		if err != nil || n > 0 {
			return err
		}
	}
	return fmt.Errorf("%w: %s is %s", ErrState, uid, r.State)
}
