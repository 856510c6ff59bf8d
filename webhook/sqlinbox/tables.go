package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// A session is where statements run: a *sql.DB, a *sql.Tx, or the connection that
// writes.
type session = statement.Session

// args are the arguments of a statement by name.
type args = statement.Args

// tables are the tables of an inbox. Their methods run statements on the session of
// the caller; they begin no transaction and end none.
type tables struct {
	db       *sql.DB
	dialect  *Dialect
	locks    keyLocks
	verified atomic.Bool // settings and schema, for writing through a pool
	readable atomic.Bool // schema, for reading
}

// exec runs the named statement and returns how many rows it changed.
func (t *tables) exec(ctx context.Context, s session, name string, a args) (int64, error) {
	n, err := t.dialect.queries.Get(name).Exec(ctx, s, a)
	if err != nil {
		return 0, fmt.Errorf("sqlinbox: %s: %w", name, t.explain(ctx, err))
	}
	return n, nil
}

// query runs the named statement and calls scan with each row.
func (t *tables) query(ctx context.Context, s session, name string, a args, scan func(row *sql.Rows) error) error {
	if err := t.dialect.queries.Get(name).Each(ctx, s, a, scan); err != nil {
		return fmt.Errorf("sqlinbox: %s: %w", name, t.explain(ctx, err))
	}
	return nil
}

// list runs a query that is made at run time, with arguments by name, on any
// connection.
func (t *tables) list(ctx context.Context, text string, a args, scan func(row *sql.Rows) error) error {
	if err := statement.Compile(text, t.dialect.syntax).Each(ctx, t.db, a, scan); err != nil {
		return fmt.Errorf("sqlinbox: list: %w", t.explain(ctx, err))
	}
	return nil
}

// explain prefers the end of ctx to what a driver makes of it. If the tables are
// not those that a statement is made for, the next use checks them again.
func (t *tables) explain(ctx context.Context, err error) error {
	if statement.IsOtherSchema(err) {
		t.verified.Store(false)
		t.readable.Store(false)
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

func (t *tables) checkVersion(ctx context.Context, s session) error {
	version, err := t.version(ctx, s)
	newest := len(t.dialect.versions())
	switch {
	case err != nil && isMissingTable(err):
		return fmt.Errorf("%w: %w", ErrNotMigrated, errors.Unwrap(err))
	case err != nil:
		return err
	case version > newest:
		return fmt.Errorf("%w: it has version %d, known is %d", ErrNewerSchema, version, newest)
	case version < newest:
		return fmt.Errorf("%w: it has version %d, needed is %d", ErrNotMigrated, version, newest)
	}
	return nil
}

func (t *tables) version(ctx context.Context, s session) (version int, err error) {
	err = t.dialect.queries.Get("version").Each(ctx, s, args{}, scanOne(&version))
	if err != nil {
		err = fmt.Errorf("sqlinbox: version: %w", err)
	}
	return version, err
}

// scanOne scans a row of one number.
func scanOne(n *int) func(row *sql.Rows) error {
	return func(row *sql.Rows) error { return row.Scan(n) }
}

// texts is a list as an argument, in JSON.
func texts(list []string) string {
	if list == nil {
		return "[]"
	}
	text, _ := json.Marshal(list) // strings only: cannot fail
	return string(text)
}
