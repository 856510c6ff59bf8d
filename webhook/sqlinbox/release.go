package sqlinbox

import (
	"context"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Release makes a delivery due now; see [webhook.Admin]. On PostgreSQL, for a claimed one
// and a blocked retry, it waits for a transaction that holds the ordering key, until ctx
// ends.
func (in *Inbox) Release(ctx context.Context, uid string) error {
	r, err := in.Get(ctx, uid)
	if err != nil {
		return err
	}
	k := orderKey{r.Delivery.Source, r.Delivery.OrderingKey}
	done := false
	switch r.State {
	case webhook.Claimed:
		done, err = in.releaseClaim(ctx, webhook.Claim{Delivery: r.Delivery, Fence: r.Fence}, r.Reason)
	case webhook.Waiting:
		err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
			n, err := in.exec(ctx, s, "release", args{"uid": uid})
			done = n > 0
			return err
		})
	case webhook.Blocked:
		if done, err = in.releaseBlocked(ctx, uid, k); err == nil && !done {
			done, err = in.repairKey(ctx, k)
		}
	}
	in.notify()
	if err != nil || done {
		return err
	}
	return fmt.Errorf("%w: %s is %s", webhook.ErrState, uid, r.State)
}

// releaseBlocked makes a blocked retry the next of its ordering key: at once, if the
// head is not claimed. It reports false if the delivery waits for no retry.
func (in *Inbox) releaseBlocked(ctx context.Context, uid string, k orderKey) (done bool, err error) {
	a := args{"uid": uid, "source": k.source, "key": k.key}
	var retries int
	if err := in.query(ctx, in.db, "is_blocked_retry", a, scanOne(&retries)); err != nil || retries == 0 {
		return false, err // without waiting for the key
	}
	err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
		if _, err := in.engine.lock(ctx, s, k, lockMode{waits: true}); err != nil {
			return err
		}
		n, err := in.exec(ctx, s, "release_blocked", a)
		if done = n > 0; err != nil || !done {
			return err
		}
		if _, err := in.exec(ctx, s, "demote_for_released", a); err != nil {
			return err
		}
		return in.promote(ctx, s, k)
	})
	return done, err
}

// releaseClaim takes c from the worker that has it and makes it waiting. It counts
// as lost: one that ends the process each time does not look innocent because
// somebody releases it after each crash.
func (in *Inbox) releaseClaim(ctx context.Context, c webhook.Claim, why string) (done bool, err error) {
	err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
		if err := in.addReleased(ctx, s, endedClaim{c.Delivery.UID, c.Fence}); err != nil {
			return err
		}
		n, err := in.exec(ctx, s, "release_claim", args{"uid": c.Delivery.UID, "fence": c.Fence})
		if done = n > 0; err != nil || !done {
			return err
		}
		a := args{"uid": c.Delivery.UID, "fence": c.Fence + 1, "reason": reason(why)}
		_, err = in.retry(ctx, s, a, c, webhook.Outcome{State: webhook.Waiting}, true)
		return err
	})
	return done, err
}
