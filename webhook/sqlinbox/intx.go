package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// InTx runs work in a transaction that also settles the claim of ctx as done: the rows
// that work writes, the deliveries that it stores with [Inbox.PutTx], and the settlement
// are committed together, or not at all. Pass it the context of the callback, and let the
// callback return what InTx returns. For a transaction without a claim use
// [Inbox.Write].
//
//   - If work or the database fails, InTx rolls back and returns that error, which
//     the Worker handles like any other. If work returns the error of a PutTx that
//     found a duplicate, InTx commits and returns nil. If it is a duplicate of a dead
//     delivery, that is logged and becomes the reason of the claim's delivery.
//   - The error is [webhook.ErrClaimLost] if another worker has the delivery. If ctx
//     has no claim, it is [webhook.ErrClaimLost] and [webhook.Permanent].
//   - Do slow work before InTx. Once the transaction has put or settled a delivery, no
//     other can put or settle under its ordering key.
//   - On SQLite, nothing else can write while work runs. Put, Claim and Settle wait for
//     it and fail after 5 s, so work must use PutTx. The transaction begins as a writer,
//     whatever the DSN says.
//   - When ctx ends, the transaction is rolled back and the others go on, even if
//     work does not return.
//
// For example:
//
//	webhook.On(&mux, func(ctx context.Context, e *webhook.Event[jobserv.Build]) error {
//		return inbox.InTx(ctx, func(tx *sql.Tx) error { return count(ctx, tx, e.Payload) })
//	})
func (in *Inbox) InTx(ctx context.Context, work func(tx *sql.Tx) error) error {
	claim, ok := webhook.ClaimFromContext(ctx)
	if !ok {
		return webhook.Permanent(fmt.Errorf("%w: InTx needs the context that the callback got", webhook.ErrClaimLost))
	}
	const warning = "a callback in InTx has not returned at the end of its context; its transaction was rolled back"
	attrs := []any{"uid", claim.Delivery.UID, "type", claim.Delivery.Type}
	outcome := webhook.Outcome{State: webhook.Done}
	err := in.inProgramTx(ctx, warning, attrs, func(tx *sql.Tx) error {
		err := work(tx)
		if err != nil && !webhook.IsDuplicate(err) {
			return in.engine.txError("InTx", err)
		}
		if uid, ok := webhook.DeadDuplicate(err); ok {
			outcome.Reason = fmt.Sprintf("what it put is a duplicate of %s, which is dead: replay that one", uid)
		}
		if err := in.SettleTx(ctx, tx, claim, outcome); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("sqlinbox: %w", in.explain(ctx, err))
		}
		return nil
	})
	if err == nil {
		in.notify()
		if outcome.Reason != "" {
			in.logger().Warn("delivery is done, but what follows from it is dead", append(attrs, "reason", outcome.Reason)...)
		}
	}
	return err
}
