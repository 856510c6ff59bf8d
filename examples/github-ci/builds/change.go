package builds

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Begin records the start of a run and queues its status report. It sets State,
// Run and Started. It also ends all other unfinished builds of the same ref as
// replaced: the inbox runs one build of a ref at a time, so none of them can
// still run.
func (s *Store) Begin(ctx context.Context, b *Build) error {
	b.State, b.Detail, b.Started = Running, "", time.Now()
	return s.transact(ctx, func(tx *sql.Tx) error {
		if err := s.replace(ctx, tx, *b, "replaced by a newer push"); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `SELECT run FROM github_ci_builds WHERE id = $1`, b.ID).Scan(&b.Run)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		b.Run++
		_, err = tx.ExecContext(ctx, `INSERT INTO github_ci_builds (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, detail = excluded.detail, run = excluded.run, started = excluded.started, ended = 0`,
			b.ID, b.Repository, b.Ref, b.Commit, b.Title, b.Context, boolToInt(b.Forced), b.State, b.Detail, b.Run, b.Received.UnixMicro(), b.Started.UnixMicro())
		if err != nil {
			return err
		}
		return s.report(ctx, tx, *b)
	})
}

// SetCommit records which commit a tag points to, and queues the status report that begin
// could not make.
func (s *Store) SetCommit(ctx context.Context, b *Build, commit string) error {
	b.Commit = commit
	return s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE github_ci_builds SET commit_id = $1 WHERE id = $2`, commit, b.ID); err != nil {
			return err
		}
		return s.report(ctx, tx, *b)
	})
}

// SetAgain records that a finished build will run again, unless it has begun to.
func (s *Store) SetAgain(ctx context.Context, b Build) error {
	_, err := s.db.ExecContext(ctx, `UPDATE github_ci_builds SET state = $1, detail = $2, ended = 0 WHERE id = $3 AND run = $4 AND state = $5`,
		Waiting, "will be built again", b.ID, b.Run, b.State)
	return err
}

// End records the result of a build, queues its status report, and settles its
// delivery as done, in one transaction.
func (s *Store) End(ctx context.Context, b *Build) error {
	b.Ended = time.Now()
	return s.inbox.InTx(ctx, func(tx *sql.Tx) error { return s.update(ctx, tx, *b) })
}

// SetWaiting records that a build will run again.
func (s *Store) SetWaiting(ctx context.Context, b *Build, detail string) error {
	b.State, b.Detail = Waiting, detail
	_, err := s.db.ExecContext(ctx, `UPDATE github_ci_builds SET state = $1, detail = $2 WHERE id = $3`, b.State, b.Detail, b.ID)
	return err
}

// SetWaitingUncounted records that a build will run again and, in the same
// transaction, settles its delivery as waiting without counting the attempt.
func (s *Store) SetWaitingUncounted(ctx context.Context, claim webhook.Claim, b *Build, detail string) error {
	b.State, b.Detail = Waiting, detail
	return s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE github_ci_builds SET state = $1, detail = $2 WHERE id = $3`, b.State, b.Detail, b.ID)
		if err != nil {
			return err
		}
		return s.inbox.SettleTx(ctx, tx, claim, webhook.Outcome{State: webhook.Waiting, Reason: detail, Uncounted: true})
	})
}

// Postpone settles a push that has not begun as waiting, without counting the attempt.
func (s *Store) Postpone(ctx context.Context, claim webhook.Claim, reason string, delay time.Duration) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		return s.inbox.SettleTx(ctx, tx, claim, webhook.Outcome{State: webhook.Waiting, Reason: reason, Delay: delay, Uncounted: true})
	})
}

// SetError records that an unfinished build has no result and will not run again.
func (s *Store) SetError(ctx context.Context, id, detail string) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		b, err := s.scanOne(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM github_ci_builds WHERE id = $1`, id))
		if errors.Is(err, sql.ErrNoRows) || err == nil && b.Finished() {
			return nil
		}
		if err != nil {
			return err
		}
		b.State, b.Detail, b.Ended = Error, detail, time.Now()
		return s.update(ctx, tx, b)
	})
}

// EndForDeletedRef ends the unfinished builds of a deleted ref as replaced.
func (s *Store) EndForDeletedRef(ctx context.Context, deleted Build) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		return s.replace(ctx, tx, deleted, "the ref was deleted")
	})
}

// replace ends the unfinished builds of b's ref, except b, as replaced.
func (s *Store) replace(ctx context.Context, tx *sql.Tx, b Build, detail string) error {
	older, err := s.query(ctx, tx, `WHERE repository = $1 AND ref = $2 AND id <> $3 AND state IN ($4, $5)`, b.Repository, b.Ref, b.ID, Running, Waiting)
	for _, old := range older {
		if err == nil {
			old.State, old.Detail, old.Ended = Replaced, detail, time.Now()
			err = s.update(ctx, tx, old)
		}
	}
	return err
}

func (s *Store) update(ctx context.Context, tx *sql.Tx, b Build) error {
	_, err := tx.ExecContext(ctx, `UPDATE github_ci_builds SET state = $1, detail = $2, ended = $3 WHERE id = $4`, b.State, b.Detail, b.Ended.UnixMicro(), b.ID)
	if err != nil {
		return err
	}
	return s.report(ctx, tx, b)
}

// report queues the build's status in the inbox for the worker of statuses.
func (s *Store) report(ctx context.Context, tx *sql.Tx, b Build) error {
	d := s.status(b)
	if d == nil {
		return nil
	}
	if err := s.inbox.PutTx(ctx, tx, d); !webhook.IsDuplicate(err) {
		return err
	}
	return nil
}

// transact runs work in a transaction. It commits if work returns nil.
func (s *Store) transact(ctx context.Context, work func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after a commit
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
