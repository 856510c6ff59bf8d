package sqlinbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// A pin is the one connection that writes, with its prepared statements. Only
// the writer's goroutine uses it.
type pin struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	waits bool // as the writer, for readers
	file  *file
}

// pinConn returns the pinned connection; a new one is checked first.
func (in *Inbox) pinConn(ctx context.Context) (*pin, error) {
	if in.pin != nil {
		return in.pin, nil
	}
	if in.db.Stats().MaxOpenConnections == 1 {
		return nil, ErrConnections
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := in.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	p := &pin{conn: conn, stmts: make(map[string]*sql.Stmt)}
	if err := in.setUp(ctx, conn); err != nil {
		p.discard()
		return nil, err
	}
	if err := errors.Join(in.checkSettings(ctx, conn), in.checkVersion(ctx, conn), p.hurry(ctx, in.dialect)); err != nil {
		p.discard()
		return nil, err
	}
	p.file = in.fileOf(ctx, conn)
	in.file.Store(p.file)
	in.pin = p
	return p, nil
}

// inTransaction runs work between begin and commit. Shared tells that the
// failure has nothing to do with what work did.
func (in *Inbox) inTransaction(ctx context.Context, p *pin, work func(s session) error) (shared bool, err error) {
	if err := p.file.check(); err != nil {
		return true, err
	}
	if err := p.begin(ctx, in.dialect); err != nil {
		in.unpin()
		return true, fmt.Errorf("sqlinbox: begin: %w", err)
	}
	if err = work(p); err == nil {
		if _, err = p.ExecContext(ctx, "COMMIT"); err == nil {
			return false, nil
		}
		shared, err = true, fmt.Errorf("sqlinbox: commit: %w", err)
	}
	if _, undone := p.ExecContext(ctx, "ROLLBACK"); undone != nil || isOtherSchema(err) {
		in.unpin() // the next one is checked anew
	}
	return shared, err
}

func (in *Inbox) unpin() {
	if in.pin != nil {
		in.pin.discard()
		in.pin = nil
	}
}

func (p *pin) discard() {
	for _, stmt := range p.stmts {
		_ = stmt.Close()
	}
	discard(p.conn)
}

// discard closes a connection for good: it is not fit for the pool.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}

func (p *pin) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt := p.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := p.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	p.stmts[text] = stmt
	return stmt, nil
}

func (p *pin) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	stmt, err := p.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (p *pin) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := p.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}
