package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
)

// Write runs f in a transaction of the program's own and commits it durably. It
// takes its turn with the writes of the Inbox. If a program keeps its tables in the
// SQLite database of the Inbox and writes to them with Write only, then neither Write
// nor Put fails with "database is locked" (SQLITE_BUSY), however many run at once.
//
//   - If f returns an error, Write rolls back and returns that error. If f panics,
//     Write rolls back and the panic goes on.
//   - When ctx ends, the transaction is rolled back and the others go on, even if f
//     does not return.
//   - If the commit itself fails, or ctx ends in the middle of it, the transaction is
//     either committed or not, never in part.
//   - On SQLite, Write waits for its turn until ctx ends, in the order of arrival, and
//     then up to 5 s for other processes. Nothing else of this process writes while f
//     runs, so do slow work before. The transaction begins as a writer. Between two
//     Writes that wait, the Inbox writes what waits for it.
//   - On PostgreSQL, f runs at once, beside other transactions. The transaction is
//     READ COMMITTED, and its synchronous_commit is raised if the commit could be lost
//     otherwise.
//   - The error is [ErrNotDurable] if the settings allow a commit to be lost.
//   - f may use [Inbox.PutTx] and [Inbox.SettleTx]. The other methods that write are
//     not part of its transaction. On SQLite, they wait for f itself: with the context
//     that f got they fail at once. With another context, Put, Claim and Settle fail
//     after 5 s, but InTx and Write only when that context ends.
func (in *Inbox) Write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	const warning = "a func in Write has not returned at the end of its context; its transaction was rolled back"
	w := &insideWrite{}
	defer w.ended.Store(true)
	err := in.inProgramTx(ctx, warning, nil, func(tx *sql.Tx) error {
		if err := in.engine.durable(ctx, tx); err != nil {
			return err
		}
		if err := f(context.WithValue(ctx, insideWriteKey{in.tables}, w), tx); err != nil {
			return in.engine.txError("Write", err)
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("sqlinbox: %w", in.explain(ctx, err))
		}
		return in.engine.replicated(ctx)
	})
	if err == nil && w.changed.Load() {
		in.notify()
	}
	return err
}

// insideWriteKey is the key of an *insideWrite in the context that Write passes on.
// There is one for each Inbox: a Write of one may be inside that of another.
type insideWriteKey struct{ *tables }

// An insideWrite is one call of Write.
type insideWrite struct {
	changed atomic.Bool // PutTx or SettleTx was called
	ended   atomic.Bool // its context may be used longer
}

// insideWrite returns the Write under way that ctx comes from, nil if it comes from
// none of this Inbox.
func (t *tables) insideWrite(ctx context.Context) *insideWrite {
	if w, _ := ctx.Value(insideWriteKey{t}).(*insideWrite); w != nil && !w.ended.Load() {
		return w
	}
	return nil
}
