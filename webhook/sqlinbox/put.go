package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxRevivals is how often a redelivery makes a dead one live again.
const maxRevivals = 3

// lockWait is how long a batch waits for a Key that another transaction holds,
// as PostgreSQL reads it.
const lockWait = "2s"

// Put stores d; see [webhook.Inbox]. It returns when d is committed. Concurrent
// Puts share a transaction; none waits for company. When ctx ends first, Put
// returns at once and d is either stored or not, never in part.
func (in *Inbox) Put(ctx context.Context, d *webhook.Delivery) error {
	start := time.Now()
	e, err := newEntry(d, !in.dialect.pinned)
	if err != nil {
		in.Observe.put(d, err, 0)
		return err
	}
	j := &job{put: e}
	if err = in.submit(ctx, j); ctx.Err() == nil || err == nil {
		in.observe(j, err, time.Since(start))
	}
	return err
}

// PutTx stores d in the caller's transaction: it is an acknowledgement only
// once that is committed. Workers of this process see it at their next poll.
// What conflicts with another transaction ends this one with the database's
// error. On SQLite begin it as a writer ("BEGIN IMMEDIATE"): one that has read
// first may be refused with "database is locked".
func (in *Inbox) PutTx(ctx context.Context, tx *sql.Tx, d *webhook.Delivery) error {
	e, err := newEntry(d, !in.dialect.pinned)
	if err != nil {
		return err
	}
	if err := in.checkTx(ctx, tx); err != nil {
		return err
	}
	j := &job{put: e}
	if err := in.putCarefully(ctx, tx, []*job{j}, ""); err != nil {
		return err
	}
	return j.result
}

// putPooled puts a batch on a database where one statement does nearly all:
// what it leaves out is looked at in a transaction. Tried again, it does not
// touch what it has stored.
func (in *Inbox) putPooled(ctx context.Context, batch []*job) error {
	left := unstored(batch)
	if len(left) > 0 && isPlain(left) {
		stored, err := in.insert(ctx, in.db, entries(left), lockWait)
		if err != nil {
			return err
		}
		for _, j := range left {
			j.stored = stored[j.put.delivery.UID]
		}
		left = unstored(left)
	}
	if len(left) == 0 {
		return nil
	}
	return in.pooled(ctx, func(ctx context.Context, s session) error { return in.putCarefully(ctx, s, left, lockWait) })
}

func unstored(batch []*job) []*job {
	var left []*job
	for _, j := range batch {
		if !j.stored {
			left = append(left, j)
		}
	}
	return left
}

// isPlain reports whether the deliveries have nothing to do with each other but
// their order.
func isPlain(batch []*job) bool {
	_, rest := nextRound(batch)
	for _, j := range batch {
		if j.put.coalesces() {
			return false
		}
	}
	return len(rest) == 0
}

// putCarefully decides about each delivery in order, in the transaction of s.
// Wait bounds what a lock may take, where the database has locks; empty leaves
// the session's own bound.
func (in *Inbox) putCarefully(ctx context.Context, s session, batch []*job, wait string) error {
	var puts []*job
	for _, j := range batch {
		if j.put != nil {
			j.result, j.ended, j.put.burst = nil, nil, 0
			puts = append(puts, j)
		}
	}
	for len(puts) > 0 {
		var round []*job
		round, puts = nextRound(puts)
		if err := in.putRound(ctx, s, round, wait, 0); err != nil {
			return err
		}
	}
	return nil
}

// nextRound takes deliveries from the front that cannot be duplicates of each
// other, nor supersede each other.
func nextRound(puts []*job) (round, rest []*job) {
	marks := make(map[keyed]bool, 2*len(puts))
	keys := make(map[keyed]bool, len(puts))
	var coalesced map[keyed]bool
	for i, j := range puts {
		e := j.put
		if marks[keyed{"", e.delivery.UID}] || coalesced[e.keyed()] || e.coalesces() && keys[e.keyed()] {
			return puts[:i], puts[i:]
		}
		for _, m := range e.marks {
			if marks[keyed{"m" + e.delivery.Source, m}] {
				return puts[:i], puts[i:]
			}
		}
		for _, m := range e.marks {
			marks[keyed{"m" + e.delivery.Source, m}] = true
		}
		marks[keyed{"", e.delivery.UID}] = true
		keys[e.keyed()] = true
		if e.coalesces() {
			if coalesced == nil {
				coalesced = make(map[keyed]bool)
			}
			coalesced[e.keyed()] = true
		}
	}
	return puts, nil
}

// putRound stores what is not known. Tries counts the rounds before, with what
// was left of them.
func (in *Inbox) putRound(ctx context.Context, s session, round []*job, wait string, tries int) error {
	a := in.putArgs(entries(round), wait)
	if _, err := in.exec(ctx, s, "lock", a); err != nil {
		return err
	}
	fresh, err := in.withoutKnown(ctx, s, round, a)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if len(fresh) < len(round) {
		a = in.putArgs(entries(fresh), wait) // no head steps aside for a duplicate
	}
	if err := in.each(ctx, s, "aside", entries(fresh), a, nil); err != nil {
		return err
	}
	for _, j := range fresh {
		if j.put.coalesces() {
			burst, err := in.supersede(ctx, s, j, j.put.keyed(), j.put.delivery.UID)
			if err != nil {
				return err
			}
			if burst != 0 {
				j.put.burst = burst
			}
		}
	}
	if in.dialect.pinned {
		return in.insertEach(ctx, s, entries(fresh), a)
	}
	stored, err := in.insert(ctx, s, entries(fresh), wait)
	if err != nil || len(stored) == len(fresh) {
		return err
	}
	// Another writer committed what makes them duplicates, after we looked.
	if tries++; tries == 10 {
		return fmt.Errorf("sqlinbox: %d of %d deliveries were stored", len(stored), len(fresh))
	}
	var left []*job
	for _, j := range fresh {
		if !stored[j.put.delivery.UID] {
			left = append(left, j)
		}
	}
	return in.putRound(ctx, s, left, wait, tries)
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
