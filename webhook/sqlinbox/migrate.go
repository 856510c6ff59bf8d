package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// Migrate creates the tables, or updates those of an earlier version of this
// package, and then does what [Inbox.Check] does. All changes are made in one
// transaction, so that a failure leaves the earlier version as it was. What is stored
// stays. Several processes may call Migrate at once.
//
//   - A SQLite database without any tables is set to journal_mode WAL first. One that
//     has tables keeps its journal mode. If that is DELETE, which may lose a commit,
//     the error is [ErrNotDurable] and has a DSN to use.
//   - On PostgreSQL, tables of a new version belong to the role that migrates. Grant the
//     rights on them to the other roles that use the Inbox.
//   - If a later version of this package has migrated the database, the error is
//     [ErrNewerSchema].
//   - Stop the processes that use an earlier version first. After the migration they fail
//     with ErrNewerSchema when they start, or once a statement does not fit the new tables.
//     Until then they go on, without what the new version adds to a delivery, such as
//     [webhook.Delivery.Unsigned].
func (in *Inbox) Migrate(ctx context.Context) error {
	if err := in.migrate(ctx); err != nil {
		return err
	}
	return in.Check(ctx)
}

func (in *Inbox) migrate(ctx context.Context) error {
	err := retryBusy(ctx, migrateWait, func() error { return in.migrateOnce(ctx) })
	if err != nil {
		return in.explain(ctx, err)
	}
	return nil
}

// migrateWait is how long others that migrate are waited for. One of them may copy a
// million dedup keys, which takes half a minute. A connection of the caller's pool may
// not wait by itself, and none does while it changes the journal mode.
const migrateWait = 2 * time.Minute

func (in *Inbox) migrateOnce(ctx context.Context) error {
	conn, err := in.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqlinbox: %w", in.explain(ctx, err))
	}
	// Its settings are not what the program has asked for: it does not go back.
	defer statement.Discard(conn)
	if err := in.prepare(ctx, conn); err != nil {
		return err
	}
	steps := in.dialect.versions()
	version, err := in.version(ctx, conn)
	if err != nil && !isMissingTable(err) {
		return err
	}
	if err == nil && version >= len(steps) {
		return nil // newer is for Check to tell
	}
	if _, err = conn.ExecContext(ctx, in.dialect.queries.Get("begin").Text); err == nil {
		if err = in.step(ctx, conn, steps); err == nil {
			_, err = conn.ExecContext(context.WithoutCancel(ctx), "COMMIT")
		}
	}
	if err != nil {
		return fmt.Errorf("sqlinbox: %s: migrate: %w", in.dialect, in.explain(ctx, in.dialect.orOther(err)))
	}
	return nil
}

// prepare gives conn its settings, and a database without tables a journal that
// survives a power loss. It refuses a database that has another one before anything
// is changed.
func (in *Inbox) prepare(ctx context.Context, conn *sql.Conn) error {
	if err := in.setUp(ctx, conn); err != nil {
		return err
	}
	if err := in.raise(ctx, conn, in.dialect.empty); err != nil {
		return err
	}
	return in.checkSettings(ctx, conn, in)
}

// step runs what is missing, as seen under the lock that excludes others.
func (in *Inbox) step(ctx context.Context, s session, steps []string) error {
	for _, text := range in.dialect.migrate {
		if _, err := s.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	var tables, version int
	err := in.query(ctx, s, "has_tables", args{}, scanOne(&tables))
	if err == nil && tables > 0 {
		version, err = in.version(ctx, s)
	}
	if err != nil {
		return err
	}
	if version == 1 {
		if err := in.completeFirst(ctx, s); err != nil {
			return err
		}
	}
	for version < len(steps) {
		if err := in.runStep(ctx, s, steps[version]); err != nil {
			return fmt.Errorf("to version %d: %w", version+1, err)
		}
		version++
	}
	return nil
}

// runStep runs the text of one version, and copies dedup keys where it says so.
func (in *Inbox) runStep(ctx context.Context, s session, text string) error {
	before, after, copies := strings.Cut(text, "-- Here Migrate copies hookhouse_marks")
	if _, err := s.ExecContext(ctx, before); err != nil || !copies {
		return err
	}
	if err := in.copyDedupKeys(ctx, s); err != nil {
		return err
	}
	_, err := s.ExecContext(ctx, "--"+after)
	return err
}

// copyDedupKeys hashes the dedup keys of version 2, some at a time.
func (in *Inbox) copyDedupKeys(ctx context.Context, s session) error {
	const batch = 1000
	last := int64(math.MinInt64)
	for {
		var keys []args
		err := in.query(ctx, s, "marks", args{"after": last, "n": batch}, func(row *sql.Rows) error {
			var source, key string
			var seen int64
			var id sql.Null[int64]
			var uid, state, sender sql.Null[string]
			err := row.Scan(&last, &source, &key, &seen, &id, &uid, &state, &sender)
			keys = append(keys, args{
				"hash": appendHash(nil, source, key), "id": id, "seen": seen, "uid": uid, "state": state, "sender_id": sender,
			})
			return err
		})
		if err != nil {
			return err
		}
		for _, a := range keys {
			if _, err := in.exec(ctx, s, "insert_mark", a); err != nil {
				return err
			}
		}
		if len(keys) < batch {
			return nil
		}
	}
}

// completeFirst adds what version 1 lacked when it was first used.
func (in *Inbox) completeFirst(ctx context.Context, s session) error {
	var has int
	if err := in.query(ctx, s, "has_origin", args{}, scanOne(&has)); err != nil || has > 0 {
		return err
	}
	if _, err := s.ExecContext(ctx, in.dialect.file("1-origin")); err != nil {
		return fmt.Errorf("to complete version 1: %w", err)
	}
	return nil
}
