package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// overwriting calls f while SQLite overwrites what f deletes or replaces. PostgreSQL cannot do
// that. The connection is the program's, and gets its setting back.
func (s *Store) overwriting(ctx context.Context, tx *sql.Tx, f func() error) error {
	if s.inbox.Dialect() != sqlinbox.SQLite {
		return f()
	}
	was, err := secureDelete(ctx, tx, "")
	if err == nil {
		_, err = secureDelete(ctx, tx, " = ON")
	}
	if err != nil {
		return s.explain(ctx, "secure_delete", err)
	}
	restore := strconv.Itoa(was)
	if was == 2 {
		restore = "FAST"
	}
	err = f()
	_, restored := secureDelete(context.WithoutCancel(ctx), tx, " = "+restore)
	return errors.Join(err, restored)
}

// secureDelete changes the setting, or not if to is empty, and returns it: 0, 1, or 2 for FAST.
func secureDelete(ctx context.Context, tx *sql.Tx, to string) (is int, err error) {
	err = tx.QueryRowContext(ctx, "PRAGMA secure_delete"+to).Scan(&is)
	return is, err
}
