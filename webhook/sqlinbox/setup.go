package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// setUp gives a connection that is the inbox's own the settings that it writes with,
// whatever the DSN says.
func (t *tables) setUp(ctx context.Context, conn *sql.Conn) error {
	for _, text := range t.dialect.setup {
		if err := t.set(ctx, conn, text); err != nil {
			return err
		}
	}
	return t.raise(ctx, conn, t.dialect.raise)
}

// raise changes a setting unless it is fine. If r is nil, there is none.
func (t *tables) raise(ctx context.Context, conn *sql.Conn, r *raise) error {
	if r == nil {
		return nil
	}
	var value string
	err := statement.Each(ctx, conn, r.query, nil, func(row *sql.Rows) error { return row.Scan(&value) })
	if err != nil {
		return fmt.Errorf("sqlinbox: %s: %w", t.dialect, t.explain(ctx, t.dialect.orOther(err)))
	}
	if slices.Contains(r.fine, value) {
		return nil
	}
	return t.set(ctx, conn, r.text)
}

// set runs a statement that changes a setting, which may return the new value.
func (t *tables) set(ctx context.Context, conn *sql.Conn, text string) error {
	if err := statement.Each(ctx, conn, text, nil, func(*sql.Rows) error { return nil }); err != nil {
		return fmt.Errorf("sqlinbox: %s: %w", t.dialect, t.explain(ctx, t.dialect.orOther(err)))
	}
	return nil
}
