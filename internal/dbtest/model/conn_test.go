package model

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPaused opens a PostgreSQL database whose connections pause before each
// statement until the run of p resumes them.
func openPaused(dsn string, p *client) (*sql.DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	never := stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false })
	db := sql.OpenDB(connector{stdlib.GetConnector(*config, never), p})
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return db, nil
}

// A connector makes connections that pause.
type connector struct {
	driver.Connector
	client *client
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner.(*stdlib.Conn), client: c.client}, nil
}

// A conn is a connection that pauses before each statement, and that sends the
// statement of the client's mutant instead.
type conn struct {
	*stdlib.Conn
	client *client
	level  string // of isolation, by default
}

// setIsolation gives the connection the current default isolation of its client.
func (c *conn) setIsolation(ctx context.Context) error {
	if c.level == c.client.level {
		return nil
	}
	_, err := c.Conn.ExecContext(ctx, "SET default_transaction_isolation = '"+c.client.level+"'", nil)
	if err == nil {
		c.level = c.client.level
	}
	return err
}

func (c *conn) pause(what string) (passed func(error)) {
	return c.client.pause(what, c.Conn.Conn().PgConn().PID())
}

func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.setIsolation(ctx); err != nil {
		return nil, err
	}
	name := nameOf(text)
	text, args = c.client.mutant.rewrite(c.client, name, text, args)
	passed := c.pause(name)
	result, err := c.Conn.ExecContext(ctx, text, args)
	passed(err)
	return result, err
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.setIsolation(ctx); err != nil {
		return nil, err
	}
	name := nameOf(text)
	text, args = c.client.mutant.rewrite(c.client, name, text, args)
	passed := c.pause(name)
	inner, err := c.Conn.QueryContext(ctx, text, args)
	if err != nil {
		passed(err)
		return nil, err
	}
	return &rows{Rows: inner.(*stdlib.Rows), done: passed}, nil
}

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.setIsolation(ctx); err != nil {
		return nil, err
	}
	what := begin
	if o.Isolation != 0 {
		what += " " + sql.IsolationLevel(o.Isolation).String()
	}
	passed := c.pause(what)
	inner, err := c.Conn.BeginTx(ctx, o)
	passed(err)
	if err != nil {
		return nil, err
	}
	return &tx{inner, c}, nil
}

// What pauses besides statements.
const (
	begin    = "BEGIN"
	commit   = "COMMIT"
	rollback = "ROLLBACK"
)

// A tx pauses before its end.
type tx struct {
	inner driver.Tx
	conn  *conn
}

func (t *tx) Commit() error {
	passed := t.conn.pause(commit)
	err := t.inner.Commit()
	passed(err)
	return err
}

func (t *tx) Rollback() error {
	passed := t.conn.pause(rollback)
	err := t.inner.Rollback()
	passed(err)
	return err
}

// Rows are the answer of a statement that runs until they are closed: it may wait
// for a lock after the first.
type rows struct {
	*stdlib.Rows
	done   func(error)
	err    error
	closed bool
}

func (r *rows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return err
}

func (r *rows) Close() error {
	err := r.Rows.Close()
	if !r.closed {
		r.closed = true
		r.done(errors.Join(r.err, err))
	}
	return err
}
