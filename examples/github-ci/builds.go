package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The states of a build that has begun. What waits for its first run is a
// delivery in the inbox and nothing else.
const (
	running  = "running"
	waiting  = "waiting" // cut off or given back: runs again
	success  = "success"
	failure  = "failure" // the command failed
	broken   = "error"   // it could not be run
	replaced = "replaced"
)

// A build is a push that was built. Its id is the delivery's UID, which sorts by
// time of arrival.
type build struct {
	ID         string
	Repository string
	Ref        string
	Commit     string
	Title      string // the first line of the commit's message
	Context    string // of the commit status
	Forced     bool
	State      string
	Detail     string // why the state is what it is
	Run        int    // 1 for the first
	Received   time.Time
	Started    time.Time // this run; zero before the first
	Ended      time.Time // zero while it is not finished
}

// finished reports whether the state is final.
func (b build) finished() bool { return b.State != running && b.State != waiting }

const buildsTable = `CREATE TABLE IF NOT EXISTS github_ci_builds (
	id TEXT PRIMARY KEY, repository TEXT NOT NULL, ref TEXT NOT NULL, commit_id TEXT NOT NULL, title TEXT NOT NULL, context TEXT NOT NULL,
	forced INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL, run INTEGER NOT NULL,
	received BIGINT NOT NULL, started BIGINT NOT NULL, ended BIGINT NOT NULL)`

const buildColumns = `id, repository, ref, commit_id, title, context, forced, state, detail, run, received, started, ended`

// begin records that a run begins, with its status to be reported, and ends what
// stood before it on the same ref: the inbox runs one at a time there, so that
// whatever is unfinished was replaced. It sets State, Run and Started.
func (s *store) begin(ctx context.Context, b *build, report reporter) error {
	b.State, b.Detail, b.Started = running, "", time.Now()
	return s.transact(ctx, func(tx *sql.Tx) error {
		if err := s.replace(ctx, tx, *b, "a newer push took its place", report); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, s.sql(`SELECT run FROM github_ci_builds WHERE id = ?`), b.ID).Scan(&b.Run)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		b.Run++
		_, err = tx.ExecContext(ctx, s.sql(`INSERT INTO github_ci_builds (`+buildColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, detail = excluded.detail, run = excluded.run, started = excluded.started, ended = 0`),
			b.ID, b.Repository, b.Ref, b.Commit, b.Title, b.Context, number(b.Forced), b.State, b.Detail, b.Run, b.Received.UnixMicro(), b.Started.UnixMicro())
		if err != nil {
			return err
		}
		return s.report(ctx, tx, *b, report)
	})
}

// end records the result of a build, its status to be reported, and that its
// delivery is done: all of it, or after a crash nothing of it.
func (s *store) end(ctx context.Context, b *build, report reporter) error {
	b.Ended = time.Now()
	return s.InTx(ctx, func(tx *sql.Tx) error { return s.update(ctx, tx, *b, report) })
}

// pause records that a build will run again.
func (s *store) pause(ctx context.Context, b *build, detail string) error {
	b.State, b.Detail = waiting, detail
	_, err := s.db.ExecContext(ctx, s.sql(`UPDATE github_ci_builds SET state = ?, detail = ? WHERE id = ?`), b.State, b.Detail, b.ID)
	return err
}

// giveBack records the same where the run does not count, with its delivery.
func (s *store) giveBack(ctx context.Context, claim webhook.Claim, b *build, detail string) error {
	b.State, b.Detail = waiting, detail
	return s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.sql(`UPDATE github_ci_builds SET state = ?, detail = ? WHERE id = ?`), b.State, b.Detail, b.ID)
		if err != nil {
			return err
		}
		return s.SettleTx(ctx, tx, claim, webhook.Outcome{State: webhook.Waiting, Reason: detail, Uncounted: true})
	})
}

// abandon records that a build will not run again, though it has no result.
func (s *store) abandon(ctx context.Context, id, detail string, report reporter) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		b, err := s.scanOne(tx.QueryRowContext(ctx, s.sql(`SELECT `+buildColumns+` FROM github_ci_builds WHERE id = ?`), id))
		if errors.Is(err, sql.ErrNoRows) || err == nil && b.finished() {
			return nil
		}
		if err != nil {
			return err
		}
		b.State, b.Detail, b.Ended = broken, detail, time.Now()
		return s.update(ctx, tx, b, report)
	})
}

// drop ends what is unfinished on a ref that was deleted.
func (s *store) drop(ctx context.Context, deleted build, report reporter) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		return s.replace(ctx, tx, deleted, "the ref was deleted", report)
	})
}

// replace ends the unfinished builds of b's ref other than b.
func (s *store) replace(ctx context.Context, tx *sql.Tx, b build, detail string, report reporter) error {
	older, err := s.query(ctx, tx, `WHERE repository = ? AND ref = ? AND id <> ? AND state IN (?, ?)`, b.Repository, b.Ref, b.ID, running, waiting)
	for _, old := range older {
		if err == nil {
			old.State, old.Detail, old.Ended = replaced, detail, time.Now()
			err = s.update(ctx, tx, old, report)
		}
	}
	return err
}

func (s *store) update(ctx context.Context, tx *sql.Tx, b build, report reporter) error {
	_, err := tx.ExecContext(ctx, s.sql(`UPDATE github_ci_builds SET state = ?, detail = ?, ended = ? WHERE id = ?`), b.State, b.Detail, b.Ended.UnixMicro(), b.ID)
	if err != nil {
		return err
	}
	return s.report(ctx, tx, b, report)
}

// report puts the build's status into the inbox, where it waits for a worker of
// its own.
func (s *store) report(ctx context.Context, tx *sql.Tx, b build, report reporter) error {
	d := report.delivery(b)
	if d == nil {
		return nil
	}
	if err := s.PutTx(ctx, tx, d); !webhook.IsDuplicate(err) {
		return err
	}
	return nil
}

// get returns one build; false where there is none.
func (s *store) get(ctx context.Context, id string) (build, bool, error) {
	b, err := s.scanOne(s.db.QueryRowContext(ctx, s.sql(`SELECT `+buildColumns+` FROM github_ci_builds WHERE id = ?`), id))
	if errors.Is(err, sql.ErrNoRows) {
		return b, false, nil
	}
	return b, err == nil, err
}

// newest returns builds, the last to arrive first, that arrived before the one
// with the given id; empty means from the newest on.
func (s *store) newest(ctx context.Context, before string, n int) ([]build, error) {
	if before == "" { // nothing sorts after every id under every collation
		return s.query(ctx, s.db, `ORDER BY id DESC LIMIT ?`, n)
	}
	return s.query(ctx, s.db, `WHERE id < ? ORDER BY id DESC LIMIT ?`, before, n)
}

// cutOff returns the builds that ran when the process before this one ended.
func (s *store) cutOff(ctx context.Context) ([]build, error) {
	return s.query(ctx, s.db, `WHERE state = ?`, running)
}

// forget deletes at most n builds that ended before the given time, and returns
// their ids.
func (s *store) forget(ctx context.Context, before time.Time, n int) ([]string, error) {
	old, err := s.query(ctx, s.db, `WHERE ended > 0 AND ended < ? ORDER BY id LIMIT ?`, before.UnixMicro(), n)
	var ids []string
	for _, b := range old {
		if err == nil {
			ids = append(ids, b.ID)
			_, err = s.db.ExecContext(ctx, s.sql(`DELETE FROM github_ci_builds WHERE id = ?`), b.ID)
		}
	}
	return ids, err
}

// queued returns what waits for its first run, the newest first, without the
// bodies.
func (s *store) queued(ctx context.Context, n int) (list []webhook.Record, err error) {
	f := webhook.Filter{Source: "github", States: []webhook.State{webhook.Waiting, webhook.Blocked}, Limit: n}
	for r, err := range s.All(ctx, f) {
		if err != nil {
			return nil, err
		}
		if r.Attempt == 0 {
			list = append(list, r)
		}
	}
	return list, nil
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *store) query(ctx context.Context, q querier, where string, args ...any) ([]build, error) {
	rows, err := q.QueryContext(ctx, s.sql(`SELECT `+buildColumns+` FROM github_ci_builds `+where), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []build
	for rows.Next() {
		b, err := s.scanOne(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

func (s *store) scanOne(row interface{ Scan(...any) error }) (b build, err error) {
	var forced int
	var received, started, ended int64
	err = row.Scan(&b.ID, &b.Repository, &b.Ref, &b.Commit, &b.Title, &b.Context, &forced, &b.State, &b.Detail, &b.Run, &received, &started, &ended)
	b.Forced, b.Received, b.Started = forced != 0, time.UnixMicro(received), time.UnixMicro(started)
	if ended != 0 {
		b.Ended = time.UnixMicro(ended)
	}
	return b, err
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
