package sqlinbox

import (
	"context"
	"database/sql"

	"github.com/hookhouse/hookhouse/webhook"
)

// suspectAfter is how many leases in a row run out before a delivery is
// suspected to end the processes that work on it. The statements say it again.
const suspectAfter = 2

// Begin counts the attempt of a suspect and reads its content; see
// [webhook.Queue]. It reads first: a body that takes too long to arrive costs
// no attempt.
func (in *Inbox) Begin(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
	if err := ctx.Err(); err != nil {
		return c, err
	}
	if c.Delivery == nil {
		return c, webhook.ErrClaimLost
	}
	own := *c.Delivery
	c.Delivery = &own
	claimHeld, corrupt := false, error(nil)
	err := in.engine.stmt(ctx, func(ctx context.Context, s session) error {
		claimHeld = false
		return in.query(ctx, s, "content", args{"uid": own.UID, "fence": c.Fence}, func(row *sql.Rows) error {
			var sealed, body sql.Null[[]byte]
			if err := row.Scan(&sealed, &body); err != nil {
				return err
			}
			claimHeld, corrupt = true, open(&own, sealed, body)
			return nil
		})
	})
	switch {
	case err != nil:
		return c, err
	case !claimHeld:
		return c, lost(c)
	case corrupt != nil:
		if err := in.settleCorrupt(ctx, c, corrupt); err != nil {
			return c, err
		}
		return c, lost(c)
	}
	attempt := 0
	err = in.engine.stmt(ctx, func(ctx context.Context, s session) error {
		return in.query(ctx, s, "begin_run", args{"uid": own.UID, "fence": c.Fence}, scanOne(&attempt))
	})
	switch {
	case err != nil:
		return c, err
	case attempt == 0:
		return c, lost(c)
	}
	c.Attempt = attempt
	return c, nil
}
