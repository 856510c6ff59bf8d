package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Write runs f in a transaction of the program's own, which takes its turn with what
// the Inbox writes, and commits it durably. Use it for all writes of the program to
// the tables that it keeps in the database of the Inbox: on SQLite neither they nor
// Puts then fail with "database is locked" (SQLITE_BUSY), however many there are.
//
//		err := inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
//			_, err := tx.ExecContext(ctx, "UPDATE builds SET state = ? WHERE id = ?", "done", id)
//			return err
//		})
//
//	  - If f returns an error, Write rolls back and returns that error. If f panics,
//	    Write rolls back and the panic goes on.
//	  - Once ctx ends, the transaction is rolled back and the others go on, even if f
//	    does not return.
//	  - On SQLite Write waits until ctx ends for its turn, in the order of arrival, and
//	    then up to 5 s for other processes. Nothing else of this process writes while f
//	    runs, so f must be short. The transaction begins as a writer.
//	  - On PostgreSQL f runs at once, beside other transactions. The transaction is READ
//	    COMMITTED, and its synchronous_commit is raised where it could lose the commit.
//	  - The error is [ErrNotDurable] where the settings can lose a commit, as for Put.
//	  - f stores deliveries with [Inbox.PutTx] and settles claims with [Inbox.SettleTx].
//	    Inside f other methods that write are outside its transaction. On SQLite they
//	    would wait for f itself: with the context that f got they fail at once, with
//	    another one Put, Claim and Settle fail after 5 s, and InTx and Write when that
//	    context ends.
func (in *Inbox) Write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, release, err := in.engine.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	defer in.watch(ctx, release, "a func in Write has not returned at the end of its context; its transaction was rolled back")()
	if err := in.engine.durable(ctx, tx); err != nil {
		return err
	}
	if err := f(context.WithValue(ctx, insideTx{}, in.engine), tx); err != nil {
		return in.engine.txError("Write", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("sqlinbox: %w", in.explain(ctx, err))
	}
	return nil
}

// insideTx is the key of a context that Write passes on. Its value is the engine.
type insideTx struct{}

// isInsideTx reports whether ctx is that of a func in a Write of e.
func isInsideTx(ctx context.Context, e engine) bool { return ctx.Value(insideTx{}) == e }

// hangAfter is how long after the end of its context a func of the program hangs.
const hangAfter = time.Second

// watch releases a transaction when ctx ends: package database/sql rolls it back
// then, and the func of the program, which has nothing left to do, may not return.
// The caller calls stop when it has returned.
func (in *Inbox) watch(ctx context.Context, release func(), warning string, attrs ...any) (stop func()) {
	returned := make(chan struct{})
	ended := context.AfterFunc(ctx, func() {
		release()
		select {
		case <-returned:
		case <-time.After(hangAfter):
			in.logger().Warn(warning, append(attrs, "reason", context.Cause(ctx))...)
		}
	})
	return func() {
		ended()
		close(returned)
	}
}
