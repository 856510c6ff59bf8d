package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
)

const (
	busyTimeoutOff = "PRAGMA busy_timeout = 0"
	busyTimeoutOn  = "PRAGMA busy_timeout = 5000"
)

// A writerConn is the one connection that writes to a SQLite database. Only the
// writer's goroutine uses it.
//
// The settings of busy_timeout are not prepared: SQLite applies them when they are
// prepared, not when they run.
type writerConn struct {
	*statement.Conn
	waits bool  // it waits for readers once it has begun to write: the journal mode is not WAL
	file  *file // that it has open
}

// writerConn returns the connection that writes; a new one is checked first.
func (e *sqliteEngine) writerConn(ctx context.Context) (*writerConn, error) {
	if e.conn != nil {
		return e.conn, nil
	}
	if e.db.Stats().MaxOpenConnections == 1 {
		return nil, ErrConnections
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := &writerConn{Conn: statement.NewConn(conn)}
	if err := e.setUp(ctx, conn); err != nil {
		c.Discard()
		return nil, err
	}
	if err := errors.Join(e.checkAll(ctx, conn, e.host), c.detectWAL(ctx)); err != nil {
		c.Discard()
		return nil, err
	}
	c.file = e.fileOf(ctx, conn)
	e.file.Store(c.file)
	e.conn = c
	return c, nil
}

// detectWAL finds out whether c waits for anybody once it is the writer. With a
// write-ahead log it does not, since readers are in nobody's way: its busy_timeout
// is then off for good.
func (c *writerConn) detectWAL(ctx context.Context) error {
	var mode string
	err := statement.Each(ctx, c.Unprepared(), "PRAGMA journal_mode", nil, func(row *sql.Rows) error { return row.Scan(&mode) })
	if c.waits = mode != "wal"; err != nil || c.waits {
		return err
	}
	_, err = c.Unprepared().ExecContext(ctx, busyTimeoutOff)
	return err
}

// begin makes c the writer of the database.
func (c *writerConn) begin(ctx context.Context, text string) error {
	if c.waits {
		if _, err := c.Unprepared().ExecContext(ctx, busyTimeoutOff); err != nil {
			return err
		}
	}
	err := retryBusy(ctx, writerWait, func() error {
		_, err := c.ExecContext(ctx, text)
		return err
	})
	if err == nil && c.waits {
		_, err = c.Unprepared().ExecContext(ctx, busyTimeoutOn)
	}
	return err
}

// inTransaction runs work on c between begin and commit. Shared reports that begin or
// commit failed, not work, so that any other work would fail too.
func (e *sqliteEngine) inTransaction(ctx context.Context, c *writerConn, work func(s session) error) (shared bool, err error) {
	if err := c.file.check(); err != nil {
		return true, err
	}
	if err := c.begin(ctx, e.dialect.queries.Get("begin").Text); err != nil {
		e.dropConn()
		return true, fmt.Errorf("sqlinbox: begin: %w", err)
	}
	if err = work(c); err == nil {
		if _, err = c.ExecContext(ctx, "COMMIT"); err == nil {
			return false, nil
		}
		shared, err = true, fmt.Errorf("sqlinbox: commit: %w", err)
	}
	if _, failed := c.ExecContext(ctx, "ROLLBACK"); failed != nil || statement.IsOtherSchema(err) {
		e.dropConn() // the next one is checked anew
	}
	return shared, err
}

func (e *sqliteEngine) dropConn() {
	if e.conn != nil {
		e.conn.Discard()
		e.conn = nil
	}
}

// abandonConn gives up the connection after a batch that did not come to its end: a
// transaction may be open on it.
func (e *sqliteEngine) abandonConn() {
	if c := e.conn; c != nil {
		e.conn = nil
		_, _ = c.Unprepared().ExecContext(context.Background(), "ROLLBACK")
		go c.Discard() // waits for what the driver left open
	}
}
