package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// setUp gives a connection that is the inbox's own the settings that it writes with,
// whatever the DSN says.
func (in *Inbox) setUp(ctx context.Context, conn *sql.Conn) error {
	for _, text := range in.dialect.setup {
		if err := in.set(ctx, conn, text); err != nil {
			return err
		}
	}
	return in.raise(ctx, conn, in.dialect.raise)
}

// raise changes a setting unless it is fine. If r is nil, there is none.
func (in *Inbox) raise(ctx context.Context, conn *sql.Conn, r *raise) error {
	if r == nil {
		return nil
	}
	var value string
	err := queryText(ctx, conn, r.query, nil, func(row *sql.Rows) error { return row.Scan(&value) })
	if err != nil {
		return fmt.Errorf("sqlinbox: %s: %w", in.dialect, in.dialect.orOther(err))
	}
	if slices.Contains(r.fine, value) {
		return nil
	}
	return in.set(ctx, conn, r.text)
}

// set runs a statement that changes a setting, which may return the new value.
func (in *Inbox) set(ctx context.Context, conn *sql.Conn, text string) error {
	if err := queryText(ctx, conn, text, nil, func(*sql.Rows) error { return nil }); err != nil {
		return fmt.Errorf("sqlinbox: %s: %w", in.dialect, in.dialect.orOther(err))
	}
	return nil
}
