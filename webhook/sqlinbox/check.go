package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Check verifies the version of the schema and the settings that durability depends
// on, on the connection that writes. Its errors are [ErrNotMigrated],
// [ErrNewerSchema], [ErrNotDurable], [ErrConnections], or the database's own. The
// first use of the Inbox verifies the same; call Check when the program starts to
// fail early. Check also repairs ordering keys that are stuck; see
// [Observer.Repaired].
func (in *Inbox) Check(ctx context.Context) error {
	if err := in.examine(ctx); err != nil {
		return err
	}
	return in.repair(ctx, checkPages)
}

// examine is Check without the repair.
func (in *Inbox) examine(ctx context.Context) error {
	if in.dialect.pinned {
		return in.transact(ctx, in.checkAll)
	}
	conn, err := in.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqlinbox: %w", err)
	}
	defer func() { _ = conn.Close() }()
	return in.checkPool(ctx, conn)
}

func (in *Inbox) checkAll(ctx context.Context, s session) error {
	return errors.Join(in.checkSettings(ctx, s), in.checkVersion(ctx, s))
}

// checkPool checks by way of one connection what holds for all. Only what the
// database says undoes an earlier success, not that nobody waited for it.
func (in *Inbox) checkPool(ctx context.Context, s session) error {
	err := in.checkAll(ctx, s)
	var isolation string
	if err == nil {
		err = in.query(ctx, s, "default_isolation", args{}, func(row *sql.Rows) error { return row.Scan(&isolation) })
	}
	switch {
	case err == nil:
		in.strict.Store(isolation != isReadCommitted)
		in.checked.Store(true)
	case errors.Is(err, ErrNotDurable), errors.Is(err, ErrNotMigrated), errors.Is(err, ErrNewerSchema):
		in.checked.Store(false)
	}
	return err
}

// isReadCommitted is how PostgreSQL spells it.
const isReadCommitted = "read committed"

// ready checks once.
func (in *Inbox) ready(ctx context.Context) error {
	if in.checked.Load() {
		return nil
	}
	return in.examine(ctx)
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
// another way than ours, and its isolation is the caller's choice. It asks for
// no other connection, since the caller may have the last one.
func (in *Inbox) checkTx(ctx context.Context, tx *sql.Tx) error {
	if in.queue.isClosed() {
		return ErrClosed
	}
	if in.dialect.pinned {
		if err := in.file.Load().check(); err != nil {
			return err
		}
		return in.checkSettings(ctx, tx)
	}
	if !in.checked.Load() {
		if err := in.checkPool(ctx, tx); err != nil {
			return err
		}
	}
	var isolation string
	err := in.query(ctx, tx, "isolation", args{}, func(row *sql.Rows) error { return row.Scan(&isolation) })
	if err == nil && isolation != isReadCommitted {
		err = fmt.Errorf("%w: it is %s", ErrIsolation, strings.ToUpper(isolation))
	}
	return err
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
