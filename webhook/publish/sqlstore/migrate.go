package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Migrate creates the tables, or updates those of an earlier version of this package, and
// then does what [Store.Check] does. All changes are made in one transaction, so that a
// failure leaves the earlier version as it was. What is stored stays. Several processes may
// call Migrate at once. Call [sqlinbox.Inbox.Migrate] before.
//
// If a later version of this package has migrated the database, the error is
// [ErrNewerSchema]. Stop the processes that use an earlier version first: they fail with
// ErrNewerSchema after the migration.
//
// On SQLite the Inbox keeps a connection to write with. If SetMaxOpenConns leaves no other,
// the error is [sqlinbox.ErrConnections]: without it Migrate would wait until ctx ends.
func (s *Store) Migrate(ctx context.Context) error {
	if _, err := s.sealer(); err != nil {
		return err
	}
	if err := s.checkPool(); err != nil {
		return err
	}
	err := statement.Retry(ctx, isConflict, func() error { return s.inbox.Write(ctx, s.migrate) })
	if err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", err)
	}
	return s.Check(ctx)
}

func (s *Store) migrate(ctx context.Context, tx *sql.Tx) error {
	if err := s.query(ctx, tx, "lock_schema", args{}, func(*sql.Rows) error { return nil }); err != nil {
		return err
	}
	var tables, version int
	err := s.query(ctx, tx, "has_tables", args{}, func(row *sql.Rows) error { return row.Scan(&tables) })
	if err == nil && tables > 0 {
		version, err = s.version(ctx, tx)
	}
	if err != nil {
		return err
	}
	steps := s.dialect.versions()
	for version < len(steps) { // newer is for Check to find
		if _, err := tx.ExecContext(ctx, steps[version]); err != nil {
			return fmt.Errorf("to version %d: %w", version+1, err)
		}
		version++
	}
	return nil
}

func (s *Store) version(ctx context.Context, on session) (version int, err error) {
	err = s.query(ctx, on, "version", args{}, func(row *sql.Rows) error { return row.Scan(&version) })
	return version, err
}

// Check verifies the version of the schema and that [Store.SealKeys] open what is stored: it
// looks for labels that they lack, and opens one endpoint of each key. Its errors are
// [ErrNotMigrated], [ErrNewerSchema], [ErrSealKeys], [ErrSealed], [sqlinbox.ErrConnections],
// or the database's own. It logs a warning if secrets are stored in clear text, or are sealed
// by another key than the first. Each use of the Store verifies the version too, until it has
// succeeded.
func (s *Store) Check(ctx context.Context) error {
	if err := s.checkVersion(ctx); err != nil {
		return err
	}
	sealer, err := s.sealer()
	if err != nil {
		return err
	}
	others, err := s.sealedByOthers(ctx, sealer)
	if err == nil {
		err = s.opensOne(ctx, sealer)
	}
	if err != nil {
		return err
	}
	switch {
	case sealer.label() == "":
		s.logger().Warn("the secrets of endpoints are stored in CLEAR TEXT: set Store.SealKeys")
	case others > 0:
		s.logger().Warn("the secrets of some endpoints are stored in clear text or sealed by an old key: call Store.Reseal", "endpoints", others)
	}
	return nil
}

// sealedByOthers returns the number of endpoints whose secrets the first key has not sealed.
func (s *Store) sealedByOthers(ctx context.Context, sealer *sealer) (others int, err error) {
	var unknown []string
	err = s.read(ctx, "sealed_by", s.dialect.queries.Get("sealed_by"), args{}, func() { others, unknown = 0, nil }, func(row *sql.Rows) error {
		var label string
		var n int
		err := row.Scan(&label, &n)
		if label != sealer.label() {
			others += n
		}
		if !sealer.has(label) {
			unknown = append(unknown, label)
		}
		return err
	})
	if err == nil && len(unknown) > 0 {
		slices.Sort(unknown)
		err = fmt.Errorf("%w: they were sealed by keys with the labels %q, which are not in SealKeys", ErrSealed, unknown)
	}
	return others, err
}

// opensOne opens the secrets of one endpoint for each key, the oldest that it has sealed:
// another key may have its label.
func (s *Store) opensOne(ctx context.Context, sealer *sealer) error {
	for label := range sealer.aeads {
		rows, err := s.page(ctx, "sealed_by = @label", args{"label": label}, 1)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if _, err := sealer.open(r.id, r.sealedBy, r.secrets); err != nil {
				return err
			}
		}
	}
	return nil
}

// ready checks the version once.
func (s *Store) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.verified.Load() {
		return nil
	}
	return s.checkVersion(ctx)
}

// checkPool refuses a pool in which the Inbox may hold the only connection.
func (s *Store) checkPool() error {
	if s.inbox.Dialect() == sqlinbox.SQLite && s.inbox.DB().Stats().MaxOpenConnections == 1 {
		return fmt.Errorf("sqlstore: %w", sqlinbox.ErrConnections)
	}
	return nil
}

func (s *Store) checkVersion(ctx context.Context) error {
	if err := s.checkPool(); err != nil {
		return err
	}
	version, err := s.version(ctx, s.inbox.DB())
	newest := len(s.dialect.versions())
	switch {
	case err != nil && statement.IsMissingTable(err, "hookhouse_publish_schema"):
		return fmt.Errorf("%w: %w", ErrNotMigrated, errors.Unwrap(err))
	case err != nil:
		return err
	case version > newest:
		s.verified.Store(false)
		return fmt.Errorf("%w: it has version %d, known is %d", ErrNewerSchema, version, newest)
	case version < newest:
		s.verified.Store(false)
		return fmt.Errorf("%w: it has version %d, needed is %d", ErrNotMigrated, version, newest)
	}
	s.verified.Store(true)
	return nil
}
