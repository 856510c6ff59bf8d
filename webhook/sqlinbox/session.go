package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	returned := false
	defer func() {
		if returned {
			_ = tx.Rollback() // nothing after a commit
		} else {
			go tx.Rollback() // may never return: after a panic of the driver, database/sql keeps its lock
		}
	}()
	if err = work(ctx, tx); err == nil {
		err = tx.Commit()
	}
	returned = true
	return err
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
