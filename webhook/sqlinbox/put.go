package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxRevivals is how often a redelivery makes a dead one live again.
const maxRevivals = 3

// Put stores d and returns when it is committed; see [webhook.Inbox]. Concurrent Puts
// share a transaction, for which none of them waits. While another transaction
// holds the ordering key, Put tries again for two seconds or a little longer, and
// then fails; Puts under other ordering keys go on. If ctx ends first, Put returns
// at once, and d is either stored or not, never in part.
func (in *Inbox) Put(ctx context.Context, d *webhook.Delivery) error {
	start := time.Now()
	e, err := newEntry(d, !in.dialect.pinned)
	if err != nil {
		in.Observer.put(d, err, 0)
		return err
	}
	j := &job{put: e}
	if err = in.submit(ctx, j); errors.Is(err, errHeld) {
		j, err = in.putHeld(ctx, j, err)
	}
	if ctx.Err() == nil || err == nil {
		in.observe(j, err, time.Since(start))
	}
	return err
}

// PutTx stores d in the caller's transaction. Do not acknowledge d before that is
// committed. Workers of this process find it at their next poll.
//
// The transaction holds the ordering key of d until it ends: settlements under that
// key wait for it, and Puts fail after two seconds. PutTx itself waits, until ctx
// ends or the database gives up, for a transaction that holds the ordering key. If
// the error is not [webhook.ErrDuplicate], roll back. The whole transaction can be
// tried again.
//
// On SQLite, begin the transaction as a writer ("BEGIN IMMEDIATE"). One that reads
// first may fail with "database is locked".
func (in *Inbox) PutTx(ctx context.Context, tx *sql.Tx, d *webhook.Delivery) error {
	e, err := newEntry(d, !in.dialect.pinned)
	if err != nil {
		return err
	}
	if err := in.checkTx(ctx, tx); err != nil {
		return err
	}
	j := &job{put: e}
	for range 10 {
		j.reset()
		if err := in.putRound(ctx, tx, []*job{j}, grip{waits: true}, 0); err != nil || !j.held {
			return cmp.Or(err, j.result)
		}
	}
	return errConflict
}

// putEach puts a batch on a database where each statement takes one delivery, in
// a transaction of our own: after an error it must not be committed.
func (in *Inbox) putEach(ctx context.Context, s session, batch []*job) error {
	for _, j := range batch {
		if j.put == nil {
			continue
		}
		j.reset()
		stored, err := in.putUnseen(ctx, s, j.put)
		if err == nil && !stored {
			err = in.putRound(ctx, s, []*job{j}, grip{}, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putUnseen stores a delivery without looking first whether it is known, which
// hardly any is. Where a dedup key stands already, or the insert leaves it out,
// it takes back its dedup keys: the delivery is to be looked at, like one that
// coalesces.
func (in *Inbox) putUnseen(ctx context.Context, s session, e *entry) (stored bool, err error) {
	if e.coalesces() {
		return false, nil
	}
	a := in.putArgs([]*entry{e}, "")
	marked := 0
	for _, m := range e.marks {
		a["mark"] = m
		n, err := in.exec(ctx, s, "insert_dedup_key", a)
		if err != nil {
			return false, err
		}
		if n == 0 {
			break
		}
		marked++
	}
	if marked == len(e.marks) {
		if stored, err = in.insertOne(ctx, s, a); stored || err != nil {
			return stored, err
		}
	}
	if marked > 0 {
		_, err = in.exec(ctx, s, "delete_last_dedup_keys", args{"n": marked})
	}
	return false, err
}

// putPooled puts a batch on a database where one statement does nearly all:
// what it leaves out is looked at in a transaction. It waits for no key. Tried
// again, it does not touch what it has stored, nor what is held.
func (in *Inbox) putPooled(ctx context.Context, batch []*job, limit string) error {
	left := undecided(batch)
	if len(left) > 0 && isPlain(left) {
		if err := in.putPlain(ctx, left, limit); err != nil {
			return err
		}
		left = undecided(left)
	}
	if len(left) == 0 {
		return nil
	}
	return in.pooled(ctx, func(ctx context.Context, s session) error {
		return in.putCarefully(ctx, s, left, grip{limit: limit})
	})
}

// putPlain stores by one statement what it does not leave out.
func (in *Inbox) putPlain(ctx context.Context, batch []*job, limit string) error {
	var fates map[string]fate
	err := in.direct(ctx, func(ctx context.Context, s session) (err error) {
		if len(batch) == 1 {
			a := batch[0].put.arguments()
			a["window"], a["wait"] = in.window(), limit
			fates, err = in.insert(ctx, s, "insert_one", a)
		} else {
			a := in.putArgs(entries(batch), limit)
			a["locked"], a["sure"] = 0, 0
			fates, err = in.insert(ctx, s, "insert", a)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, j := range batch {
		f := fates[j.put.delivery.UID]
		j.stored, j.held = f == stored, f == held
	}
	return nil
}

// supersede ends the older ones of a key that no worker has, except uid, and
// returns when the burst began: zero means now.
func (in *Inbox) supersede(ctx context.Context, s session, j *job, k keyed, except string) (burst int64, err error) {
	err = in.query(ctx, s, "supersede", args{"source": k.source, "key": k.key, "uid": except}, func(row *sql.Rows) error {
		var uid string
		var began, attempt, quiet int64
		if err := row.Scan(&uid, &began, &attempt, &quiet); err != nil {
			return err
		}
		if quiet > 0 && attempt == 0 && (burst == 0 || began < burst) {
			burst = began
		}
		j.ended = append(j.ended, uid)
		return nil
	})
	return burst, err
}

func (in *Inbox) window() int64 {
	if in.Window <= 0 {
		return microseconds(30 * 24 * time.Hour)
	}
	return microseconds(in.Window)
}
