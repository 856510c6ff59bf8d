package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// begin waits for its turn to write in the order of arrival, until ctx ends.
func (e *sqliteEngine) begin(ctx context.Context) (*programTx, error) {
	if e.writer.queue.isClosed() {
		return nil, ErrClosed
	}
	if e.insideWrite(ctx) != nil {
		return nil, errTxOpen
	}
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqlinbox: %w", e.explain(ctx, err))
	}
	if err := e.mutex.lock(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	tx, err := newProgramTx(conn, e.mutex.unlock, func() (*sql.Tx, error) { return e.beginOn(ctx, conn) })
	if err != nil {
		if isMissingTable(err) {
			err = fmt.Errorf("%w: %w", ErrNotMigrated, err)
		}
		return nil, fmt.Errorf("sqlinbox: begin: %w", e.explain(ctx, err))
	}
	return tx, nil
}

// beginOn begins a transaction as a writer. Once begun, conn waits as long for other
// locks as the program has set it.
func (e *sqliteEngine) beginOn(ctx context.Context, conn *sql.Conn) (*sql.Tx, error) {
	var timeout int
	if err := statement.Each(ctx, conn, "PRAGMA busy_timeout", nil, scanOne(&timeout)); err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, busyTimeoutOff); err != nil {
		statement.Discard(conn)
		return nil, err
	}
	var tx *sql.Tx
	err := retryBusy(ctx, writerWait, func() (err error) {
		tx, err = e.beginWriting(ctx, conn)
		return err
	})
	restore := fmt.Sprintf("PRAGMA busy_timeout = %d", timeout)
	var failed error
	if err == nil { // not on conn: if that is broken, it waits for the end of tx
		_, failed = tx.ExecContext(context.WithoutCancel(ctx), restore)
	} else {
		_, failed = conn.ExecContext(context.WithoutCancel(ctx), restore)
	}
	if failed != nil {
		if err == nil {
			_ = tx.Rollback()
		}
		statement.Discard(conn)
		return nil, errors.Join(err, failed)
	}
	return tx, err
}

// beginWriting writes first, since a transaction that has read before may be
// refused.
func (e *sqliteEngine) beginWriting(ctx context.Context, conn *sql.Conn) (*sql.Tx, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if _, err := e.exec(ctx, tx, "ping", args{}); err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return tx, nil
}

// checkTx checks the file and the settings of the connection.
func (e *sqliteEngine) checkTx(ctx context.Context, tx *sql.Tx) error {
	if e.writer.queue.isClosed() {
		return ErrClosed
	}
	if err := e.file.Load().check(); err != nil {
		return err
	}
	return e.checkSettings(ctx, tx, e.host)
}

// durable refuses a connection that may lose a commit: the setting cannot be changed
// inside a transaction. If the writer has no connection yet, the file of this one is
// that of the inbox.
func (e *sqliteEngine) durable(ctx context.Context, tx *sql.Tx) error {
	err := e.checkTx(ctx, tx)
	if err == nil && e.file.Load() == nil {
		e.file.CompareAndSwap(nil, e.fileOf(ctx, tx))
	}
	return err
}
