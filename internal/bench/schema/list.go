package schema

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const listColumns = `id, uid, source, sender_id, type, ordering_key, key_label, received_at, coalesce_quiet_us, coalesce_max_us,
	state, attempt, fence, due_at, lease_expires_at, finished_at, reason, revivals, replayed, size`

// A Row is what a program by hand gets of a delivery for a list: all columns but those of
// the claim, and no body.
type Row struct {
	Seq                                                       int64
	UID, Source, ID, Type, Key, Label, State, Reason          string
	Received, Quiet, Max, Attempt, Fence, Due, Lease, Revived int64
	Replayed, Size                                            int64
	Finished                                                  sql.Null[int64]
}

// Select reads the newest rows that match a filter, by one statement that has only its
// conditions. The filter has no UID and no Bodies, and at most one state.
func Select(ctx context.Context, db *sql.DB, f webhook.Filter) (all []Row, err error) {
	text, args := selectOf(f)
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("schema: %w in %s", err, text)
	}
	defer rows.Close()
	for rows.Next() {
		var r Row
		err := rows.Scan(&r.Seq, &r.UID, &r.Source, &r.ID, &r.Type, &r.Key, &r.Label, &r.Received, &r.Quiet, &r.Max,
			&r.State, &r.Attempt, &r.Fence, &r.Due, &r.Lease, &r.Finished, &r.Reason, &r.Revived, &r.Replayed, &r.Size)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func selectOf(f webhook.Filter) (text string, args []any) {
	var terms []string
	add := func(term string, value any) {
		args = append(args, value)
		terms = append(terms, fmt.Sprintf(term, len(args)))
	}
	for _, t := range []struct{ column, value string }{
		{"source", f.Source}, {"type", f.Type}, {"ordering_key", f.OrderingKey}, {"sender_id", f.ID},
	} {
		if t.value != "" {
			add(t.column+" = $%d", t.value)
		}
	}
	for _, s := range f.States {
		add("state = $%d", string(s))
	}
	if f.Text != "" {
		add("lower(reason) LIKE $%d", "%"+strings.ToLower(f.Text)+"%")
	}
	for _, t := range []struct {
		term string
		at   time.Time
	}{{"received_at >= $%d", f.From}, {"received_at < $%d", f.To}} {
		if !t.at.IsZero() {
			add(t.term, t.at.UnixMicro())
		}
	}
	for _, t := range []struct {
		term string
		seq  int64
	}{{"id < $%d", f.Before}, {"id > $%d", f.After}} {
		if t.seq > 0 {
			add(t.term, t.seq)
		}
	}
	text = "SELECT " + listColumns + " FROM " + Deliveries
	if len(terms) > 0 {
		text += " WHERE " + strings.Join(terms, " AND ")
	}
	return text + fmt.Sprintf(" ORDER BY id DESC LIMIT %d", f.Limit), args
}
