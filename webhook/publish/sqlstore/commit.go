package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// Record stores an attempt; see [publish.Store].
func (s *Store) Record(ctx context.Context, a publish.Attempt) (began bool, err error) {
	if err := a.Validate(); err != nil {
		return false, err
	}
	if err := s.ready(ctx); err != nil {
		return false, err
	}
	return s.recorder.submit(ctx, a.Stored())
}

// commit stores a batch of attempts, all or none.
func (s *Store) commit(ctx context.Context, batch []*record) error {
	rows, err := json.Marshal(attemptRows(batch))
	if err != nil {
		return err
	}
	if stored, err := s.commitSteady(ctx, batch, string(rows)); stored || err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.fail(ctx, tx, batch); err != nil {
			return err
		}
		_, err := s.exec(ctx, tx, "insert_attempts", args{"rows": string(rows)})
		return err
	})
}

// commitSteady stores a batch on PostgreSQL by one statement without a transaction around it,
// and reports whether it has: all attempts, or none if the failing of an endpoint may begin or
// end with one of them, or has begun with it.
//
// If the server runs the statement under another isolation than READ COMMITTED, it can conflict
// with other transactions, and then nothing is stored. The first batch has a transaction, since
// the Inbox checks the server then.
func (s *Store) commitSteady(ctx context.Context, batch []*record, rows string) (stored bool, err error) {
	if s.inbox.Dialect() == sqlinbox.SQLite || !s.written.Load() {
		return false, nil
	}
	for _, one := range batch {
		one.began = false
	}
	n, err := s.exec(ctx, s.inbox.DB(), "insert_steady", args{
		"rows": rows, "delivered": list(endpointsOf(batch, publish.Delivered)), "failed": list(endpointsOf(batch, publish.Failed)),
	})
	if statement.IsConflict(err) {
		return false, nil
	}
	return n > 0, err
}

// endpointsOf returns the endpoints of the attempts with a result, each once.
func endpointsOf(batch []*record, r publish.Result) (ids []string) {
	for _, one := range batch {
		if one.attempt.Result == r {
			ids = append(ids, one.attempt.Endpoint)
		}
	}
	return unique(ids)
}

// commitPlain stores an attempt that the database has refused, with its Reason and its
// Response in ASCII: the encoding of the database may not have a character of them. If that is
// refused too, the error is ErrAttempt.
func (s *Store) commitPlain(ctx context.Context, one *record, refusal error) error {
	reason, response := plain(one.attempt.Reason), plain(one.attempt.Response)
	err := refusal
	if reason != one.attempt.Reason || response != one.attempt.Response {
		one.attempt.Reason, one.attempt.Response = reason, response
		err = s.commit(ctx, []*record{one})
	}
	if statement.IsRefusal(err) {
		return fmt.Errorf("%w of endpoint %q: the database refuses it: %w", publish.ErrAttempt, one.attempt.Endpoint, err)
	}
	return err
}

// plain replaces what is no printable ASCII.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r <= '~' {
			return r
		}
		return '?'
	}, text)
}
