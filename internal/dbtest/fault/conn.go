package fault

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5/stdlib"
)

// What is counted besides statements.
const (
	begin    = "begin"
	commit   = "commit"
	rollback = "rollback"
)

// A conn is a connection that breaks by the plan. Package database/sql uses it from
// one goroutine at a time.
type conn struct {
	driver.Conn // the real one
	plan        *Plan
	stmts       map[*stmt]bool
	dropped     bool
}

var (
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
)

// drop closes the real connection, as the end of a server does. SQLite keeps a
// connection alive while it has statements.
func (c *conn) drop() {
	if c.dropped {
		return
	}
	c.dropped = true
	for s := range c.stmts {
		_ = s.Stmt.Close()
	}
	if pg, ok := c.Conn.(*stdlib.Conn); ok {
		_ = pg.Conn().Close(context.Background()) // Close alone would let another store use it
	}
	_ = c.Conn.Close()
}

func (c *conn) Close() error {
	if c.dropped {
		return nil
	}
	c.dropped = true
	return c.Conn.Close()
}

func (c *conn) IsValid() bool {
	if v, ok := c.Conn.(driver.Validator); ok && !c.dropped {
		return v.IsValid()
	}
	return !c.dropped
}

func (c *conn) ResetSession(ctx context.Context) error {
	if c.dropped {
		return driver.ErrBadConn
	}
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *conn) Ping(ctx context.Context) error {
	if c.dropped {
		return driver.ErrBadConn
	}
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if c.dropped {
		return nil, driver.ErrBadConn
	}
	inner, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	s := &stmt{Stmt: inner, conn: c, text: text}
	c.stmts[s] = true
	return s, nil
}

// ExecContext and QueryContext return driver.ErrSkip if the driver does not have
// them: then package database/sql prepares a statement.
func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (result driver.Result, err error) {
	inner, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	err = c.plan.run(ctx, c, text, func() (err error) {
		result, err = inner.ExecContext(ctx, text, args)
		return err
	})
	return result, err
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	inner, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return c.query(ctx, text, func() (driver.Rows, error) { return inner.QueryContext(ctx, text, args) })
}

// query runs a query and reads all its rows, since some drivers execute it while the
// rows are read.
func (c *conn) query(ctx context.Context, text string, do func() (driver.Rows, error)) (driver.Rows, error) {
	var rows driver.Rows
	err := c.plan.run(ctx, c, text, func() (err error) {
		if rows, err = do(); err != nil {
			rows = nil
			return err
		}
		rows, err = buffer(rows)
		return err
	})
	return rows, err
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	var inner driver.Tx
	err := c.plan.run(ctx, c, begin, func() (err error) {
		inner, err = c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &tx{inner, c}, nil
}

// A tx is a transaction that breaks by the plan.
type tx struct {
	inner driver.Tx
	conn  *conn
}

func (t *tx) Commit() error {
	return t.conn.plan.run(context.Background(), t.conn, commit, t.inner.Commit)
}

func (t *tx) Rollback() error {
	return t.conn.plan.run(context.Background(), t.conn, rollback, t.inner.Rollback)
}
