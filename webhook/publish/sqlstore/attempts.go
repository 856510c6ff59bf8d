package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// fail begins and ends the failing of the endpoints of a batch, as its attempts say in their
// order. It reads all endpoints at once and writes those only whose failing begins or ends:
//
//   - It reads without a lock. If another transaction begins or ends the failing meanwhile,
//     what is done here is what would have been done before that.
//   - It writes on the condition that the failing has not begun, or not ended, meanwhile. So
//     of the transactions that begin it at once, one does.
//   - It locks endpoints in the order of their IDs, so that batches do not deadlock.
func (s *Store) fail(ctx context.Context, on session, batch []*record) error {
	var decisive []*record
	var ids []string
	for _, one := range batch {
		one.began = false
		if r := one.attempt.Result; r == publish.Failed || r == publish.Delivered {
			decisive = append(decisive, one)
			ids = append(ids, one.attempt.Endpoint)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	failing := make(map[string]sql.Null[int64]) // since when; those that exist
	err := s.query(ctx, on, "failing", args{"ids": list(unique(ids))}, func(row *sql.Rows) error {
		var id string
		var since sql.Null[int64]
		err := row.Scan(&id, &since)
		failing[id] = since
		return err
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(decisive, func(a, b *record) int { return cmp.Compare(a.attempt.Endpoint, b.attempt.Endpoint) })
	for _, one := range decisive {
		if err := s.failOne(ctx, on, one, failing); err != nil {
			return err
		}
	}
	return nil
}

// failOne begins or ends the failing of one endpoint, if that is another than it was. An
// attempt that was recorded before, and whose answer was lost, does neither again.
func (s *Store) failOne(ctx context.Context, on session, one *record, failing map[string]sql.Null[int64]) error {
	a := args{
		"endpoint": one.attempt.Endpoint, "at": one.attempt.At.UnixMicro(), "uid": one.attempt.UID,
		"number": one.attempt.Number, "result": string(one.attempt.Result),
	}
	since, exists := failing[one.attempt.Endpoint]
	fails := one.attempt.Result == publish.Failed
	switch {
	case !exists, !fails && !since.Valid, fails && since.Valid && since.V != a["at"]:
		return nil
	case fails && since.Valid:
		return s.hasBegun(ctx, on, one, a)
	}
	var recorded int
	err := s.query(ctx, on, "is_recorded", a, func(row *sql.Rows) error { return row.Scan(&recorded) })
	if err != nil || recorded > 0 {
		return err
	}
	if !fails {
		failing[one.attempt.Endpoint] = sql.Null[int64]{}
		_, err := s.exec(ctx, on, "end_failing", a)
		return err
	}
	failing[one.attempt.Endpoint] = micro(one.attempt.At)
	n, err := s.exec(ctx, on, "begin_failing", a)
	if one.began = n > 0; err != nil || one.began {
		return err
	}
	return s.hasBegun(ctx, on, one, a) // of the same attempt, in a transaction whose answer was lost
}

// hasBegun sets began if the attempt has begun the failing before.
func (s *Store) hasBegun(ctx context.Context, on session, one *record, a args) error {
	var n int
	err := s.query(ctx, on, "has_begun", a, func(row *sql.Rows) error { return row.Scan(&n) })
	one.began = n > 0
	return err
}

// An attemptRow is an attempt as the statement insert_attempts reads it.
type attemptRow struct {
	N        int            `json:"n"`
	Endpoint string         `json:"endpoint"`
	Event    string         `json:"event"`
	UID      string         `json:"uid"`
	Type     string         `json:"type"`
	Number   int            `json:"number"`
	BeganAt  int64          `json:"began_at"`
	TookUS   int64          `json:"took_us"`
	Result   publish.Result `json:"result"`
	Status   int            `json:"status"`
	Reason   string         `json:"reason"`
	Response string         `json:"response"`
	NextAt   *int64         `json:"next_at"`
}

func attemptRows(batch []*record) []attemptRow {
	rows := make([]attemptRow, len(batch))
	for i, one := range batch {
		a := one.attempt
		rows[i] = attemptRow{
			i, a.Endpoint, a.Event, a.UID, a.Type, a.Number, a.At.UnixMicro(), a.Took.Microseconds(), a.Result, a.Status, a.Reason, a.Response, nil,
		}
		if next := micro(a.Next); next.Valid {
			rows[i].NextAt = &next.V
		}
	}
	return rows
}

// attemptColumns are those that an attemptScan reads. The statements last_attempts and
// endpoints have them too.
const attemptColumns = "seq, endpoint, event, uid, type, number, began_at, took_us, result, status, reason, response, next_at"

// An attemptScan is an attempt as its columns have it.
type attemptScan struct {
	a        publish.Attempt
	at, took int64
	next     sql.Null[int64]
}

// columns are where the attemptColumns go.
func (s *attemptScan) columns() []any {
	a := &s.a
	return []any{&a.Seq, &a.Endpoint, &a.Event, &a.UID, &a.Type, &a.Number, &s.at, &s.took, &a.Result, &a.Status, &a.Reason, &a.Response, &s.next}
}

// attempt returns the attempt, which is zero if its seq is: then there is none.
func (s *attemptScan) attempt() publish.Attempt {
	if s.a.Seq != 0 {
		s.a.At, s.a.Took, s.a.Next = time.UnixMicro(s.at), time.Duration(s.took)*time.Microsecond, timeOf(s.next)
	}
	return s.a
}

func scanAttempt(row *sql.Rows) (publish.Attempt, error) {
	var s attemptScan
	err := row.Scan(s.columns()...)
	return s.attempt(), err
}

// sweepBatch bounds the attempts that one transaction deletes.
const sweepBatch = 1000

// Sweep deletes old attempts; see [publish.Store]. It deletes up to 1000 in a transaction, so
// an error leaves those that earlier transactions have deleted. It reads past the last
// attempts of endpoints that are older.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (swept int, err error) {
	if limit <= 0 {
		limit = sweepBatch
	}
	for swept < limit {
		n := min(limit-swept, sweepBatch)
		var deleted int64
		err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			deleted, err = s.exec(ctx, tx, "sweep", args{"before": before.UnixMicro(), "n": n})
			return err
		})
		if err != nil {
			return swept, err
		}
		if swept += int(deleted); int(deleted) < n {
			break
		}
	}
	return swept, nil
}
