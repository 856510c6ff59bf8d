package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Check looks at the schema and at the settings that durability depends on, on
// the connection that writes. Its errors are [ErrNotMigrated],
// [ErrNewerSchema], [ErrNotDurable], [ErrConnections], or the database's own.
// The first use checks the same; call it at the start to know early.
func (in *Inbox) Check(ctx context.Context) error {
	if in.dialect.pinned {
		return in.transact(ctx, func(ctx context.Context, s session) error {
			return errors.Join(in.checkSettings(ctx, s), in.checkVersion(ctx, s))
		})
	}
	return in.check(ctx)
}

func (in *Inbox) check(ctx context.Context) error {
	conn, err := in.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqlinbox: %w", err)
	}
	defer func() { _ = conn.Close() }()
	err = errors.Join(in.checkSettings(ctx, conn), in.checkVersion(ctx, conn))
	in.checked.Store(err == nil)
	return err
}

// ready checks once.
func (in *Inbox) ready(ctx context.Context) error {
	if in.checked.Load() {
		return nil
	}
	return in.check(ctx)
}

// writes is what comes before a write that the writer's goroutine does not do.
func (in *Inbox) writes(ctx context.Context) error {
	if in.queue.isClosed() {
		return ErrClosed
	}
	return in.ready(ctx)
}

func (in *Inbox) checkSettings(ctx context.Context, s session) error {
	for _, set := range in.dialect.settings {
		var value string
		err := queryText(ctx, s, set.query, nil, func(row *sql.Rows) error { return row.Scan(&value) })
		if err != nil {
			return fmt.Errorf("sqlinbox: %s: %w", in.dialect, in.dialect.orOther(err))
		}
		if !slices.Contains(set.allowed, strings.ToLower(value)) && !slices.Contains(set.allowed, value) {
			return fmt.Errorf("%w: %s, it is %s%s", ErrNotDurable, set.advice, value, in.dialect.advice)
		}
	}
	return nil
}

// checkTx looks at a caller's transaction: its connection may be set up in
// another way than ours. Where settings are the server's, once is enough.
func (in *Inbox) checkTx(ctx context.Context, tx *sql.Tx) error {
	if in.dialect.pinned && !in.queue.isClosed() {
		return in.checkSettings(ctx, tx)
	}
	return in.writes(ctx)
}

func (in *Inbox) checkVersion(ctx context.Context, s session) error {
	version, err := in.version(ctx, s)
	newest := len(in.dialect.versions())
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

func (in *Inbox) version(ctx context.Context, s session) (version int, err error) {
	err = queryText(ctx, s, in.dialect.queries["version"].text, nil, func(row *sql.Rows) error { return row.Scan(&version) })
	if err != nil {
		err = fmt.Errorf("sqlinbox: version: %w", err)
	}
	return version, err
}

// isMissingTable: SQLSTATE undefined_table, or what SQLite's drivers all say.
func isMissingTable(err error) bool {
	var s sqlState
	if errors.As(err, &s) {
		return s.SQLState() == "42P01"
	}
	return strings.Contains(err.Error(), "no such table: hookhouse_schema")
}
