package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// keepMarks is how long marks are kept: longer than any notice is retried.
const keepMarks = 90 * 24 * time.Hour

// A mark in the database says that a mail server has been given a whole mail. If it is
// still set at a later attempt, an earlier one did not learn whether the server took
// the mail, because the process ended or the server did not answer. A nil mark is not
// kept.
type mark struct {
	store *store
	key   string
}

// errMarked ends an attempt before the mail is sent.
var errMarked = errors.New("the mail server had the whole mail when an earlier attempt ended")

// newMarks creates the table of the marks.
func newMarks(ctx context.Context, s *store) error {
	_, err := s.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS notify_marks (
		mark  TEXT PRIMARY KEY, -- UID of the notice, and how often a person has replayed it
		since BIGINT NOT NULL   -- Unix time
	)`)
	return err
}

// newMark returns the mark of a notice. If a person replays the notice, it is sent once
// more.
func newMark(ctx context.Context, s *store, uid string) (*mark, error) {
	record, err := s.Get(ctx, uid)
	if err != nil {
		return nil, err
	}
	return &mark{s, fmt.Sprintf("%s %d", uid, len(record.Replays))}, nil
}

// set sets the mark. It returns errMarked if it was set before.
func (m *mark) set(ctx context.Context) error {
	if m == nil {
		return nil
	}
	return m.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now := time.Now()
		if _, err := tx.ExecContext(ctx, `DELETE FROM notify_marks WHERE since < $1`, now.Add(-keepMarks).Unix()); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO notify_marks (mark, since) VALUES ($1, $2) ON CONFLICT DO NOTHING`, m.key, now.Unix())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = errMarked
		}
		return err
	})
}

// clear removes the mark: the server has refused the mail.
func (m *mark) clear(ctx context.Context) error {
	if m == nil {
		return nil
	}
	return m.store.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM notify_marks WHERE mark = $1`, m.key)
		return err
	})
}
