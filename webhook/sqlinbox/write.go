package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

// Write runs f in a transaction of the program's own and commits it durably. It
// takes its turn with what the Inbox writes. If a program keeps its tables in the
// SQLite database of the Inbox and writes to them by Write alone, then neither it nor
// Put fails with "database is locked" (SQLITE_BUSY), however many there are.
//
//   - If f returns an error, Write rolls back and returns that error. If f panics,
//     Write rolls back and the panic goes on.
//   - When ctx ends, the transaction is rolled back and the others go on, even if f
//     does not return.
//   - On SQLite, Write waits for its turn until ctx ends, in the order of arrival, and
//     then up to 5 s for other processes. Nothing else of this process writes while f
//     runs: do what is slow before. The transaction begins as a writer.
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
	w := &insideWrite{engine: in.engine}
	if err := f(context.WithValue(ctx, insideWriteKey{}, w), tx); err != nil {
		return in.engine.txError("Write", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("sqlinbox: %w", in.explain(ctx, err))
	}
	if w.put.Load() {
		in.notify()
	}
	return nil
}

// insideWriteKey is the key of an *insideWrite in the context that Write passes on.
type insideWriteKey struct{}

// An insideWrite is one call of Write.
type insideWrite struct {
	engine engine
	put    atomic.Bool // PutTx was called
}

// insideWriteOf returns what ctx has of a Write of e, nil if it has none.
func insideWriteOf(ctx context.Context, e engine) *insideWrite {
	if w, _ := ctx.Value(insideWriteKey{}).(*insideWrite); w != nil && w.engine == e {
		return w
	}
	return nil
}

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
