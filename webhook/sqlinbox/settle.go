package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// Settle ends a claim; see [webhook.Queue]. A claim that [Inbox.SettleTx] has
// settled is left as it is; Settle returns the state that SettleTx gave it.
func (in *Inbox) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	if err := checkOutcome(ctx, c, o); err != nil {
		return "", err
	}
	if o.State == webhook.Done && o.Reason == "" { // nearly every claim
		if settled, err := in.engine.settleDone(ctx, c); err != nil {
			return "", err
		} else if settled {
			return o.State, nil
		}
	}
	var state webhook.State
	err := in.engine.tx(ctx, func(ctx context.Context, s session) (err error) {
		state, err = in.settle(ctx, s, c, o)
		if err == nil && state == "" {
			state, err = in.settled(ctx, s, c)
		}
		return err
	})
	if err == nil && state == "" {
		err = lost(c)
	}
	if err != nil {
		return "", err
	}
	in.notify()
	return state, nil
}

// SettleTx settles c in the caller's transaction, so that the callback's own rows
// and the settlement are committed together or not at all. The callback gets its
// claim from [webhook.ClaimFromContext]. If the error is [webhook.ErrClaimLost],
// another worker has the delivery, and the caller must roll back.
//
// When the callback returns, the [webhook.Worker] settles the claim again. After a
// commit that changes nothing; after a rollback that settlement is the one that
// counts.
//
// Call SettleTx last, right before the commit. Until the transaction ends, no other
// can put or settle under the same ordering key, and on SQLite no other can write.
//
//   - On SQLite, begin the transaction as a writer ("BEGIN IMMEDIATE", an option of
//     the driver). One that reads first may fail with "database is locked".
//   - On PostgreSQL, the transaction must be READ COMMITTED, since under another
//     isolation it cannot see which delivery of the ordering key is next. Otherwise
//     the error is [ErrIsolation].
func (in *Inbox) SettleTx(ctx context.Context, tx *sql.Tx, c webhook.Claim, o webhook.Outcome) error {
	if err := checkOutcome(ctx, c, o); err != nil {
		return err
	}
	if err := in.engine.checkTx(ctx, tx); err != nil {
		return err
	}
	if w := in.insideWrite(ctx); w != nil {
		w.changed.Store(true) // the next of the key
	}
	state, err := in.settle(ctx, tx, c, o)
	if err == nil && state == "" {
		err = lost(c)
	}
	return err
}

func checkOutcome(ctx context.Context, c webhook.Claim, o webhook.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch o.State {
	case webhook.Waiting, webhook.Done, webhook.Dead, webhook.Ignored:
	default:
		return fmt.Errorf("sqlinbox: %q is not an outcome", o.State)
	}
	if c.Delivery == nil || c.Fence == 0 { // nobody claimed it
		return webhook.ErrClaimLost
	}
	return nil
}

// settle returns the new state of the delivery, empty if the claim is not held.
func (t *tables) settle(ctx context.Context, s session, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	a := args{"uid": c.Delivery.UID, "fence": c.Fence, "state": string(o.State), "reason": reason(o.Reason)}
	if o.State == webhook.Waiting {
		return t.retry(ctx, s, a, c, o, false)
	}
	if err := t.addFailed(ctx, s, c, o); err != nil {
		return "", err
	}
	k := orderKey{c.Delivery.Source, c.Delivery.OrderingKey}
	claimHeld, err := t.settleAs(ctx, s, a, k)
	if err == nil && !claimHeld {
		// The delivery of the claim has been in other hands, which may have changed it.
		var stored orderKey
		err = t.query(ctx, s, "claimed_key", a, func(row *sql.Rows) error { return row.Scan(&stored.source, &stored.key) })
		if err == nil && stored != k {
			k = stored
			claimHeld, err = t.settleAs(ctx, s, a, k)
		}
	}
	if err != nil || !claimHeld {
		return "", err
	}
	if k.key != "" {
		err = t.promote(ctx, s, k)
	}
	return o.State, err
}

// settleAs settles the claim if it is held under k, and reports whether it is.
func (t *tables) settleAs(ctx context.Context, s session, a args, k orderKey) (claimHeld bool, err error) {
	a["source"], a["key"] = k.source, k.key
	n, err := t.exec(ctx, s, "settle", a)
	return n > 0, err
}

// retry makes the delivery of a claim waiting again, or superseded if a newer one of its
// burst has come, and returns its new state, empty if the claim is not held. If released
// is set, the claim is ended by Release and not by its worker, and o is no failure.
func (t *tables) retry(ctx context.Context, s session, a args, c webhook.Claim, o webhook.Outcome, released bool) (webhook.State, error) {
	a["delay"], a["yield"] = microseconds(o.Delay), number(o.RetryOutOfOrder)
	a["uncounted"], a["released"] = number(o.Uncounted), number(released)
	if c.Delivery.OrderingKey != "" {
		// Lock the row, so that the next statement sees all that it blocks.
		var n int
		if err := t.query(ctx, s, "lock_claim", a, scanOne(&n)); err != nil || n == 0 {
			return "", err
		}
	}
	if !released {
		if err := t.addFailed(ctx, s, c, o); err != nil {
			return "", err
		}
	}
	var state webhook.State
	var k orderKey
	err := t.query(ctx, s, "retry", a, func(row *sql.Rows) error { return row.Scan(&state, &k.source, &k.key) })
	if err == nil && state == webhook.Superseded {
		_, err = t.exec(ctx, s, "end", a)
	}
	if err == nil && (state == webhook.Superseded || state == webhook.Blocked) {
		err = t.promote(ctx, s, k)
	}
	if state == webhook.Blocked {
		state = webhook.Waiting // for its turn as well
	}
	return state, err
}

// settled returns what came of a claim that was settled before, empty where it
// was not, or where a later claim was settled since.
func (t *tables) settled(ctx context.Context, s session, c webhook.Claim) (state webhook.State, err error) {
	a := args{"uid": c.Delivery.UID, "fence": c.Fence}
	err = t.query(ctx, s, "settled", a, func(row *sql.Rows) error { return row.Scan(&state) })
	return state, err
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
