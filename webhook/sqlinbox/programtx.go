package sqlinbox

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// A programTx is a transaction of the program, of InTx or Write, with the connection
// that it has to itself.
type programTx struct {
	*sql.Tx
	conn *sql.Conn
	// unlock lets others write. A second call does nothing.
	unlock func()
	// release waits for the end of the transaction, gives back the connection and
	// calls unlock. A second call waits for the first.
	release func()
}

// newProgramTx begins a transaction on conn with begin. If it fails, or ends its
// goroutine, nothing stays open or locked.
func newProgramTx(conn *sql.Conn, unlock func(), begin func() (*sql.Tx, error)) (_ *programTx, err error) {
	t := &programTx{conn: conn, unlock: sync.OnceFunc(unlock)}
	t.release = sync.OnceFunc(func() {
		_ = conn.Close() // waits for the end of the transaction
		t.unlock()
	})
	returned := false
	defer func() {
		if !returned {
			t.abandon()
		}
	}()
	t.Tx, err = begin()
	if returned = true; err != nil {
		t.release()
		return nil, err
	}
	return t, nil
}

// abandon rolls back and closes the connection for good, after a panic or the end of
// the goroutine. That may have happened inside the driver: package database/sql then
// keeps locks of the transaction, and its Rollback and Close may never return.
func (t *programTx) abandon() {
	ctx, cancel := context.WithTimeout(context.Background(), writerWait)
	defer cancel()
	rolledBack := make(chan struct{})
	go func() {
		defer func() { _ = recover() }() // the driver may panic again
		defer close(rolledBack)
		_, _ = t.conn.ExecContext(ctx, "ROLLBACK") // if conn is broken, it waits for the end of t
	}()
	select {
	case <-rolledBack:
	case <-ctx.Done():
	}
	t.unlock()
	go func() {
		defer func() { _ = recover() }()
		if t.Tx != nil {
			_ = t.Rollback()
		}
		statement.Discard(t.conn)
	}()
}

// inProgramTx runs f, which is to commit, in a transaction of the program. The
// warning is for the log, with attrs, if f does not return at the end of ctx.
func (in *Inbox) inProgramTx(ctx context.Context, warning string, attrs []any, f func(tx *sql.Tx) error) error {
	t, err := in.engine.begin(ctx)
	if err != nil {
		return err
	}
	returned := false
	stop := in.watch(ctx, t.release, warning, attrs)
	defer func() {
		stop()
		if returned {
			_ = t.Rollback() // nothing after a commit
			t.release()
		} else {
			t.abandon()
		}
	}()
	err = f(t.Tx)
	returned = true
	return err
}

// hangAfter is how long after the end of its context a func of the program hangs.
const hangAfter = time.Second

// watch releases a transaction when ctx ends: package database/sql rolls it back
// then, and the func of the program, which has nothing left to do, may not return.
// The caller calls stop when it has returned.
func (in *Inbox) watch(ctx context.Context, release func(), warning string, attrs []any) (stop func()) {
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
