package sqlinbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// A session is where statements run: a *sql.DB, a *sql.Tx, or the pinned
// connection.
type session interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// exec runs the named statement and returns how many rows it changed.
func (in *Inbox) exec(ctx context.Context, s session, name string, a args) (int64, error) {
	q := in.dialect.queries[name]
	if q.text == "" {
		return 0, nil
	}
	result, err := s.ExecContext(ctx, q.text, q.bind(a)...)
	if err != nil {
		return 0, fmt.Errorf("sqlinbox: %s: %w", name, in.explain(ctx, err))
	}
	return result.RowsAffected()
}

// query runs the named statement and hands each row to scan.
func (in *Inbox) query(ctx context.Context, s session, name string, a args, scan func(row *sql.Rows) error) error {
	q := in.dialect.queries[name]
	if q.text == "" {
		return nil
	}
	if err := queryText(ctx, s, q.text, q.bind(a), scan); err != nil {
		return fmt.Errorf("sqlinbox: %s: %w", name, in.explain(ctx, err))
	}
	return nil
}

func queryText(ctx context.Context, s session, text string, values []any, scan func(row *sql.Rows) error) (err error) {
	rows, err := s.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// explain prefers the end of ctx to what a driver makes of it. Where the tables
// are not those that a statement is made for, the next use checks them again.
func (in *Inbox) explain(ctx context.Context, err error) error {
	if isOtherSchema(err) {
		in.checked.Store(false)
		in.readable.Store(false)
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// transact runs work in a transaction of its own and returns when it is
// committed. Work may be run again after a conflict, and starts afresh then.
func (in *Inbox) transact(ctx context.Context, work func(ctx context.Context, s session) error) error {
	if in.dialect.pinned {
		return in.submit(ctx, &job{work: work})
	}
	if err := in.writes(ctx); err != nil {
		return err
	}
	return again(ctx, func() error { return in.pooled(ctx, work) })
}

// readCommitted is the isolation that the statements are made for: each sees
// what was committed before it began.
var readCommitted = &sql.TxOptions{Isolation: sql.LevelReadCommitted}

// pooled is one try of a transaction on any connection.
func (in *Inbox) pooled(ctx context.Context, work func(ctx context.Context, s session) error) error {
	tx, err := in.db.BeginTx(ctx, readCommitted)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	if err := work(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// again repeats try while it fails because two transactions got in each
// other's way.
func again(ctx context.Context, try func() error) error {
	for n := 0; ; n++ {
		err := try()
		if err == nil || n == 9 || !isConflict(err) || ctx.Err() != nil {
			return err
		}
	}
}

// sqlState is what errors of PostgreSQL drivers have in common.
type sqlState interface{ SQLState() string }

// isConflict: serialization failure, deadlock, the two constraints by which
// writers notice each other (see the statement insert), and what they see of each
// other too late.
func isConflict(err error) bool {
	var s sqlState
	return errors.Is(err, errConflict) || errors.As(err, &s) && slices.Contains([]string{"40001", "40P01", "23505", "23502"}, s.SQLState())
}

// isSerialization: what a transaction saw was changed by another since.
func isSerialization(err error) bool {
	var s sqlState
	return errors.As(err, &s) && s.SQLState() == "40001"
}

// isRowsFault reports whether the database refused values, not the connection:
// data exceptions, constraints, limits of the program, conflicts, or more locks
// than it has room for, which a part of a batch does not take.
func isRowsFault(err error) bool {
	var s sqlState
	return isConflict(err) || errors.As(err, &s) && len(s.SQLState()) == 5 &&
		(s.SQLState() == "53200" || slices.Contains([]string{"22", "23", "40", "42", "54", "55"}, s.SQLState()[:2]))
}

// isLockTimeout: another transaction holds what this one needs.
func isLockTimeout(err error) bool {
	var s sqlState
	return errors.As(err, &s) && s.SQLState() == "55P03"
}

// isOtherSchema: undefined column or table, or what SQLite's drivers all say.
func isOtherSchema(err error) bool {
	if err == nil {
		return false
	}
	var s sqlState
	if errors.As(err, &s) {
		return s.SQLState() == "42703" || s.SQLState() == "42P01"
	}
	text := err.Error()
	return strings.Contains(text, "no such column") || strings.Contains(text, "no such table") || strings.Contains(text, "has no column named")
}

// A pin is the one connection that writes, with its prepared statements. Only
// the writer's goroutine uses it.
type pin struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	waits bool // as the writer, for readers
	path  string
	file  os.FileInfo // as it was opened; nil where there is none
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
	for _, text := range in.dialect.setup {
		if err := queryText(ctx, conn, text, nil, func(*sql.Rows) error { return nil }); err != nil {
			p.discard()
			return nil, fmt.Errorf("sqlinbox: %s: %w", in.dialect, in.dialect.orOther(err))
		}
	}
	if err := errors.Join(in.checkSettings(ctx, conn), in.checkVersion(ctx, conn), p.hurry(ctx, in.dialect)); err != nil {
		p.discard()
		return nil, err
	}
	p.path, p.file = in.fileOf(ctx, conn)
	in.pin = p
	return p, nil
}

// inTransaction runs work between begin and commit. Shared tells that the
// failure has nothing to do with what work did.
func (in *Inbox) inTransaction(ctx context.Context, p *pin, work func(s session) error) (shared bool, err error) {
	if err := p.checkFile(); err != nil {
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
