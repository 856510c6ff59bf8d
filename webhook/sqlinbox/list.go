package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// listPage is how many rows are read at a time.
	listPage = 100
	// listBytes bounds the bodies that are read at a time; one is read whatever its
	// size.
	listBytes = 4 << 20
)

// All lists deliveries; see [webhook.Admin].
func (in *Inbox) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		if err := f.Validate(); err != nil {
			yield(webhook.Record{}, err)
			return
		}
		left := f.Limit
		for {
			page := listPage
			if f.Limit > 0 {
				page = min(page, left)
			}
			records, err := in.page(ctx, f, page)
			for r, err := range in.withContents(ctx, f, records) {
				if !yield(r, err) || err != nil {
					return
				}
			}
			if err != nil {
				yield(webhook.Record{}, err)
				return
			}
			if left -= len(records); len(records) < page || f.Limit > 0 && left == 0 {
				return
			}
			f.Before = records[len(records)-1].Seq
		}
	}
}

// withContents yields the records of a page, where the filter asks for it with
// what they came in. One that was deleted since the page was read is left out.
func (in *Inbox) withContents(ctx context.Context, f webhook.Filter, page []webhook.Record) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		for len(page) > 0 {
			n := len(page)
			if f.Bodies {
				n = fitting(page)
			}
			part := page[:n]
			page = page[n:]
			if f.Bodies {
				var err error
				if part, err = in.fill(ctx, part); err != nil {
					yield(webhook.Record{}, err)
					return
				}
			}
			for _, r := range part {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// fitting returns how many from the front, one at least, have bodies that fit
// into listBytes.
func fitting(page []webhook.Record) int {
	total := int64(0)
	for i, r := range page {
		if total += r.Size; total > listBytes && i > 0 {
			return i
		}
	}
	return len(page)
}

// fill reads the header, dedup keys and body of each record, and returns the records
// whose delivery has not been deleted since.
func (in *Inbox) fill(ctx context.Context, records []webhook.Record) ([]webhook.Record, error) {
	uids := make([]string, len(records))
	at := make(map[string]int, len(records))
	for i, r := range records {
		uids[i], at[r.Delivery.UID] = r.Delivery.UID, i
	}
	there := make([]bool, len(records))
	err := in.query(ctx, in.db, "contents", args{"uids": texts(uids)}, func(row *sql.Rows) error {
		var uid string
		var sealed, body sql.Null[[]byte]
		err := row.Scan(&uid, &sealed, &body)
		if i, known := at[uid]; known && err == nil {
			there[i] = true
			records[i].Err = open(records[i].Delivery, sealed, body)
		}
		return err
	})
	var kept []webhook.Record
	for i, r := range records {
		if there[i] {
			kept = append(kept, r)
		}
	}
	return kept, err
}

// Get returns one delivery; see [webhook.Admin].
func (in *Inbox) Get(ctx context.Context, uid string) (webhook.Record, error) {
	records, err := in.page(ctx, webhook.Filter{UID: uid}, 1)
	if err == nil {
		records, err = in.fill(ctx, records)
	}
	if err != nil {
		return webhook.Record{}, err
	}
	if uid == "" || len(records) == 0 {
		return webhook.Record{}, fmt.Errorf("%w: %q", webhook.ErrNotFound, uid)
	}
	r := records[0]
	err = in.query(ctx, in.db, "replays", args{"uid": uid}, func(row *sql.Rows) error {
		var at int64
		var p webhook.Replay
		err := row.Scan(&at, &p.By, &p.Why, &p.Was)
		p.At = time.UnixMicro(at)
		r.Replays = append(r.Replays, p)
		return err
	})
	if err == nil {
		r.Attempts, err = in.attempts(ctx, uid)
	}
	return r, err
}

// page reads one page without bodies, newest first.
func (in *Inbox) page(ctx context.Context, f webhook.Filter, n int) ([]webhook.Record, error) {
	if err := in.reads(ctx); err != nil {
		return nil, err
	}
	terms, a := where(f)
	a["page"] = n
	unsigned := "NULL"
	if f.Unsigned {
		unsigned = unsignedColumn
	}
	text := "SELECT " + listColumns + ", " + unsigned + " FROM hookhouse_deliveries d" + terms + " ORDER BY d.id DESC LIMIT @page"
	var records []webhook.Record
	err := in.list(ctx, text, a, func(row *sql.Rows) error {
		r, err := scanRecord(row)
		records = append(records, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

const listColumns = `d.id, d.uid, d.source, d.sender_id, d.type, d.ordering_key, d.key_label, d.received_at,
	d.coalesce_quiet_us, d.coalesce_max_us, d.state, d.attempt, d.fence, d.due_at, d.lease_expires_at, d.finished_at,
	d.reason, d.revivals, d.replayed, d.size`

// unsignedColumn is the envelope of a delivery that may have Unsigned. It is looked up for each
// row of a page, which needs fewer reads than a statement that finds the page again.
const unsignedColumn = `(SELECT CASE WHEN b.envelope LIKE '%"unsigned":%' THEN b.envelope END FROM hookhouse_bodies b WHERE b.id = d.id LIMIT 1)`

func scanRecord(row *sql.Rows) (webhook.Record, error) {
	d := new(webhook.Delivery)
	r := webhook.Record{Delivery: d}
	var received, quiet, maxWait, due, expires, replayed int64
	var ended sql.Null[int64]
	var unsigned []byte
	err := row.Scan(&r.Seq, &d.UID, &d.Source, &d.ID, &d.Type, &d.OrderingKey, &d.KeyLabel, &received, &quiet, &maxWait,
		&r.State, &r.Attempt, &r.Fence, &due, &expires, &ended, &r.Reason, &r.Revived, &replayed, &r.Size, &unsigned)
	if err != nil {
		return r, err
	}
	d.ReceivedAt = time.UnixMicro(received)
	d.Coalesce = webhook.Coalesce{Quiet: time.Duration(quiet) * time.Microsecond, Max: time.Duration(maxWait) * time.Microsecond}
	r.Due = time.UnixMicro(due)
	r.Replayed = replayed != 0
	if r.State == webhook.Claimed {
		r.Expires = time.UnixMicro(expires)
	}
	if ended.Valid {
		r.Ended = time.UnixMicro(ended.V)
	}
	if len(unsigned) > 0 {
		if e, err := openEnvelope(unsigned); err == nil { // what is damaged is reported with the body
			d.Unsigned = e.Unsigned
		}
	}
	return r, nil
}

// open fills in what a delivery came in. Its error is damage to the stored row.
func open(d *webhook.Delivery, sealed, body sql.Null[[]byte]) error {
	if !sealed.Valid || !body.Valid {
		return errors.New("body is missing")
	}
	e, err := openEnvelope(sealed.V)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	e.fill(d)
	d.Body = body.V
	return nil
}
