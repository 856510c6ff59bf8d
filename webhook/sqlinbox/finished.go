package sqlinbox

import (
	"context"
	"database/sql"
	"iter"

	"github.com/hookhouse/hookhouse/webhook"
)

// A finished one may be replayed or discarded.
type finished struct {
	id   int64
	uid  string
	typ  string
	size int64 // of its body in bytes
}

// finished returns those that match, a page at a time, oldest first. What is
// replayed gets a new place, beyond the last of now: it does not match again.
func (in *Inbox) finished(ctx context.Context, f webhook.Filter) iter.Seq2[[]finished, error] {
	return func(yield func([]finished, error) bool) {
		r, err := in.finishedRange(ctx, f)
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			page, err := in.finishedPage(ctx, f, &r)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) > 0 && !yield(page, nil) || len(page) < replayPage {
				return
			}
		}
	}
}

// A span is the ids above after, up to last.
type span struct{ after, last int64 }

func (in *Inbox) finishedRange(ctx context.Context, f webhook.Filter) (r span, err error) {
	if err := in.reads(ctx); err != nil {
		return r, err
	}
	err = in.query(ctx, in.db, "last", args{}, func(row *sql.Rows) error { return row.Scan(&r.last) })
	if err != nil || f.Limit <= 0 {
		return r, err
	}
	// Only the newest f.Limit.
	terms, a := where(f)
	a["n"] = f.Limit
	text := "SELECT coalesce(min(id), 0) - 1 FROM (SELECT d.id FROM hookhouse_deliveries d" + terms + isFinished + " ORDER BY d.id DESC LIMIT @n) AS newest"
	err = in.list(ctx, text, a, func(row *sql.Rows) error { return row.Scan(&r.after) })
	return r, err
}

const isFinished = " AND d.state IN ('done', 'dead', 'superseded', 'ignored')"

// finishedPage reads the next page, and moves r behind it.
func (in *Inbox) finishedPage(ctx context.Context, f webhook.Filter, r *span) ([]finished, error) {
	terms, a := where(f)
	a["after"], a["last"], a["n"] = r.after, r.last, replayPage
	text := "SELECT d.id, d.uid, d.type, d.size FROM hookhouse_deliveries d" + terms + isFinished +
		" AND d.id > @after AND d.id <= @last ORDER BY d.id LIMIT @n"
	var page []finished
	err := in.list(ctx, text, a, func(row *sql.Rows) error {
		var d finished
		err := row.Scan(&d.id, &d.uid, &d.typ, &d.size)
		r.after = d.id
		page = append(page, d)
		return err
	})
	return page, err
}
