package builds

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Get returns one build. It returns false if the build does not exist.
func (s *Store) Get(ctx context.Context, id string) (Build, bool, error) {
	b, err := s.scanOne(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM github_ci_builds WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return b, false, nil
	}
	return b, err == nil, err
}

// A Selection is a part of the builds. Empty fields select all.
type Selection struct{ Repository, Ref string }

// Newest returns at most n builds in descending order of arrival, beginning after
// the build with the id before, or with the newest one if before is empty.
func (s *Store) Newest(ctx context.Context, only Selection, before string, n int) ([]Build, error) {
	var where []string
	var args []any
	for _, c := range []struct{ condition, value string }{{"repository =", only.Repository}, {"ref =", only.Ref}, {"id <", before}} {
		if c.value != "" { // no string sorts after every id in every collation
			args = append(args, c.value)
			where = append(where, fmt.Sprintf("%s $%d", c.condition, len(args)))
		}
	}
	text := fmt.Sprintf(`ORDER BY id DESC LIMIT %d`, n)
	if len(where) > 0 {
		text = "WHERE " + strings.Join(where, " AND ") + " " + text
	}
	return s.query(ctx, s.db, text, args...)
}

// Interrupted returns the builds that ran when the previous process ended.
func (s *Store) Interrupted(ctx context.Context) ([]Build, error) {
	return s.query(ctx, s.db, `WHERE state = $1`, Running)
}

// DeleteEnded deletes at most n builds that ended before the given time and
// returns their ids.
func (s *Store) DeleteEnded(ctx context.Context, before time.Time, n int) ([]string, error) {
	old, err := s.query(ctx, s.db, `WHERE ended > 0 AND ended < $1 ORDER BY id LIMIT $2`, before.UnixMicro(), n)
	var ids []string
	for _, b := range old {
		if err == nil {
			ids = append(ids, b.ID)
			_, err = s.db.ExecContext(ctx, `DELETE FROM github_ci_builds WHERE id = $1`, b.ID)
		}
	}
	return ids, err
}

// Queued returns the deliveries that wait for their first run, the newest first,
// without their bodies.
func (s *Store) Queued(ctx context.Context, only Selection, n int) (list []webhook.Record, err error) {
	f := webhook.Filter{Source: "github", States: []webhook.State{webhook.Waiting, webhook.Blocked}}
	for r, err := range s.inbox.All(ctx, f) {
		if err != nil {
			return nil, err
		}
		repository, ref, _ := strings.Cut(r.Delivery.OrderingKey, " ")
		selected := (only.Repository == "" || strings.EqualFold(repository, only.Repository)) && (only.Ref == "" || ref == only.Ref)
		if r.Attempt == 0 && selected {
			list = append(list, r)
		}
		if len(list) == n {
			break
		}
	}
	return list, nil
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) query(ctx context.Context, q querier, where string, args ...any) ([]Build, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM github_ci_builds `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Build
	for rows.Next() {
		b, err := s.scanOne(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

func (s *Store) scanOne(row interface{ Scan(...any) error }) (b Build, err error) {
	var forced int
	var received, started, ended int64
	err = row.Scan(&b.ID, &b.Repository, &b.Ref, &b.Commit, &b.Title, &b.Context, &forced, &b.State, &b.Detail, &b.Run, &received, &started, &ended)
	b.Forced, b.Received, b.Started = forced != 0, time.UnixMicro(received), time.UnixMicro(started)
	if ended != 0 {
		b.Ended = time.UnixMicro(ended)
	}
	return b, err
}
