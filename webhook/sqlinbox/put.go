package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

// Put stores d and returns when it is committed; see [webhook.Inbox]. Concurrent Puts
// share a transaction, without an added delay. If ctx ends first, Put returns at once,
// and d is either stored or not, never in part.
//
//   - On PostgreSQL, while another transaction holds the ordering key, Put tries again for
//     2 s, or up to half a second longer, and then fails. Puts under other ordering keys
//     go on.
//   - On SQLite, Put waits for up to 5 s each for a transaction of InTx or Write and for
//     another process that writes, and then fails with "database is locked". With the
//     context that a func of Write got, it fails at once: use [Inbox.PutTx] there.
func (in *Inbox) Put(ctx context.Context, d *webhook.Delivery) error {
	start := time.Now()
	e, err := in.entry(d)
	if err != nil {
		in.Observer.put(ctx, d, err, 0)
		return err
	}
	superseded, err := in.engine.put(ctx, e)
	if ctx.Err() == nil || err == nil { // otherwise it is not known whether d is stored
		in.Observer.put(ctx, d, err, time.Since(start))
		in.Observer.superseded(ctx, superseded, d)
	}
	return err
}

// PutTx stores d in the caller's transaction. Do not acknowledge d before that is
// committed. Workers of this process find it at their next poll, or at once after a
// commit by [Inbox.InTx], or by [Inbox.Write] if ctx is the one that its func got.
//
// On PostgreSQL, the transaction holds the ordering key of d until it ends: settlements
// under that key wait for it, and Puts fail after two seconds. PutTx itself waits, until
// ctx ends or the database gives up, for a transaction that holds the ordering key. On
// SQLite, the transaction holds the whole database: no other writes until it ends.
//
// If the error is not [webhook.ErrDuplicate], roll back. The whole transaction can be
// tried again.
//
// On SQLite, begin the transaction as a writer ("BEGIN IMMEDIATE"). One that reads
// first may fail with "database is locked". [Inbox.Write] and [Inbox.InTx] do that.
func (in *Inbox) PutTx(ctx context.Context, tx *sql.Tx, d *webhook.Delivery) error {
	e, err := in.entry(d)
	if err != nil {
		return err
	}
	if err := in.engine.checkTx(ctx, tx); err != nil {
		return err
	}
	if w := in.insideWrite(ctx); w != nil {
		w.changed.Store(true)
	}
	j := &job{put: e}
	for range 10 {
		j.reset()
		if err := in.engine.storeTx(ctx, tx, j); err != nil || !j.leftOut {
			return cmp.Or(err, j.result)
		}
	}
	return errConflict
}

// entry makes d ready to be stored.
func (in *Inbox) entry(d *webhook.Delivery) (*entry, error) {
	e, err := newEntry(d)
	if err == nil {
		err = in.engine.prepare(e)
	}
	return e, err
}

// DedupWindow returns Window, or its default. A catch-up compares it with how far back it looks.
func (in *Inbox) DedupWindow() time.Duration {
	if in.Window <= 0 {
		return limit.Window
	}
	return in.Window
}

// window returns DedupWindow in microseconds.
func (in *Inbox) window() int64 { return microseconds(in.DedupWindow()) }
