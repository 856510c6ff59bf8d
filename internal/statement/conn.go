package statement

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// A Conn is one connection that keeps each text it has run as a prepared statement.
// It is not safe for concurrent use.
type Conn struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// NewConn returns a Conn on c, which belongs to it from then on.
func NewConn(c *sql.Conn) *Conn { return &Conn{conn: c, prepared: make(map[string]*sql.Stmt)} }

// Unprepared returns the connection for what must not be prepared.
func (c *Conn) Unprepared() *sql.Conn { return c.conn }

// Discard closes the statements and the connection for good: it does not go back to
// the pool.
func (c *Conn) Discard() {
	for _, stmt := range c.prepared {
		_ = stmt.Close()
	}
	Discard(c.conn)
}

// Discard closes a connection for good: it does not go back to the pool.
func Discard(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}

func (c *Conn) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := c.prepared[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := c.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.prepared[text] = stmt
	return stmt, nil
}

// ExecContext runs the text, prepared.
func (c *Conn) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	stmt, err := c.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryContext runs the text, prepared.
func (c *Conn) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := c.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}
