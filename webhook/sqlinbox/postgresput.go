package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// retryAloneBytes is the size in bytes from which a delivery that was left out gets a
// batch of its own, and is sent to the server only once its ordering key is free.
const retryAloneBytes = 64 << 10

// prepare sets the row of en. Statements take the rows of a batch as one argument; for a
// lone delivery, storeOptimistic makes the arguments itself.
func (e *postgresEngine) prepare(en *entry) (err error) {
	en.row, err = json.Marshal(en.columns())
	return err
}

// put tries again while another transaction holds the ordering key. Each try is a
// job of its own: the writer may still look at the one before.
func (e *postgresEngine) put(ctx context.Context, en *entry) (superseded []string, err error) {
	j := &job{put: en}
	if err = e.writer.submit(ctx, j); errors.Is(err, errLeftOut) {
		j, err = e.putAwaitingKey(ctx, j, err)
	}
	return j.supersededUnless(ctx, err), err
}

// putAwaitingKey tries again to put the delivery of j, which was left out with err,
// until that succeeds, fails for another reason, or has taken too long. It returns the
// job of the last try.
func (e *postgresEngine) putAwaitingKey(ctx context.Context, j *job, err error) (*job, error) {
	w, end := e.lockedKeys.wait(ctx)
	defer end()
	for errors.Is(err, errLeftOut) {
		if ended := w.pause(); ended != nil {
			return j, keyWaitError(ctx, ended, err)
		}
		j = &job{put: j.put, alone: j.alone || j.put.size() >= retryAloneBytes}
		err = e.writer.submit(ctx, j)
	}
	return j, err
}

// commit is the writer's tryCommit. Its context is not that of a caller, so that no
// caller's end cancels the others. It tries up to ten times while transactions conflict.
func (e *postgresEngine) commit(batch []*job, wait time.Duration) (shared bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	if err := e.verify(ctx); err != nil {
		return true, err
	}
	if e.isStillLocked(ctx, batch[0]) {
		return false, nil
	}
	err = statement.Retry(ctx, isConflict, func() error { return e.storeBatch(ctx, batch, lockTimeout(wait)) })
	return err != nil && !isRowsFault(err), err
}

// isStillLocked reports whether the ordering key of j is still locked. It asks only for
// a large delivery that was left out before, to send no body in vain.
func (e *postgresEngine) isStillLocked(ctx context.Context, j *job) bool {
	if !j.alone || j.put.size() < retryAloneBytes || j.put.delivery.OrderingKey == "" {
		return false
	}
	_, err := e.lock(ctx, e.db, j.put.orderKey(), lockMode{})
	j.leftOut = errors.Is(err, errLeftOut)
	return j.leftOut
}

// storeBatch stores a batch by one statement. Deliveries about which that cannot decide,
// such as duplicates, get a second transaction, and so does a batch that is not independent. A delivery whose ordering key is locked
// is left out. After a conflict storeBatch is called again: it then skips the deliveries
// that are stored or left out.
func (e *postgresEngine) storeBatch(ctx context.Context, batch []*job, timeout string) error {
	left := undecided(batch)
	if len(left) > 0 && areIndependent(left) {
		if err := e.storeOptimistic(ctx, left, timeout); err != nil {
			return err
		}
		left = undecided(left)
	}
	if len(left) == 0 {
		return nil
	}
	err := statement.Tx(ctx, e.db, statement.ReadCommitted, func(ctx context.Context, s session) error {
		if err := e.replicate(ctx, s); err != nil {
			return err
		}
		return e.storeInOrder(ctx, s, left, lockMode{timeout: timeout})
	})
	if err == nil {
		err = e.replicated(ctx)
	}
	return err
}

// storeOptimistic stores by one statement the deliveries that are new, and leaves out
// those whose ordering key is locked. The statement skips the others, about which
// storeInOrder then decides.
func (e *postgresEngine) storeOptimistic(ctx context.Context, batch []*job, timeout string) error {
	var results map[string]insertResult
	err := e.tryStmt(ctx, func(ctx context.Context, s session) (err error) {
		if len(batch) == 1 {
			a := batch[0].put.arguments()
			a["window"], a["wait"], a["standby"] = e.window(), timeout, number(e.requiresStandby())
			results, err = e.insert(ctx, s, "insert_one", a)
		} else {
			a := e.putArgs(batch, timeout)
			a["locked"], a["sure"] = 0, 0
			results, err = e.insert(ctx, s, "insert", a)
		}
		return err
	})
	if err == nil {
		err = e.replicated(ctx)
	}
	if err != nil {
		return err
	}
	for _, j := range batch {
		r := results[j.put.delivery.UID]
		j.stored, j.leftOut = r == wasStored, r == wasLocked
	}
	return nil
}

// storeInOrder decides about each delivery in order, in the transaction of s.
func (e *postgresEngine) storeInOrder(ctx context.Context, s session, puts []*job, m lockMode) error {
	for _, j := range puts {
		j.reset()
	}
	for len(puts) > 0 {
		var group []*job
		group, puts = nextIndependent(puts)
		if err := e.storeChecked(ctx, s, group, m, 0); err != nil {
			return err
		}
		puts = withoutLeftOut(puts, group)
	}
	return nil
}

func (e *postgresEngine) storeTx(ctx context.Context, s session, j *job) error {
	if err := e.replicate(ctx, s); err != nil {
		return err
	}
	return e.storeChecked(ctx, s, []*job{j}, lockMode{waits: true}, 0)
}

// storeChecked locks the ordering keys of a group of independent deliveries, looks the
// deliveries up, and stores those that are new. It marks those whose key it does not get
// as left out, and sets the results of duplicates. A result that stays nil is success. If
// the insert leaves out some, storeChecked calls itself for them; tries is the number of
// the calls before.
func (e *postgresEngine) storeChecked(ctx context.Context, s session, group []*job, m lockMode, tries int) error {
	a := e.putArgs(group, m.timeout)
	ours, err := e.lockGroup(ctx, s, group, a, m)
	if err != nil || len(ours) == 0 {
		return err
	}
	if len(ours) < len(group) {
		a = e.putArgs(ours, m.timeout)
	}
	fresh, changed, err := e.dedupe(ctx, s, ours, a, m)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if len(fresh) < len(ours) {
		a = e.putArgs(fresh, m.timeout) // no head is demoted for a duplicate
	}
	room, err := e.makeRoom(ctx, s, fresh, a)
	if err != nil {
		return err
	}
	// What has been changed for a delivery must not stay without it: it is stored,
	// or refused by the database.
	a = e.putArgs(fresh, m.timeout)
	a["locked"], a["sure"] = 1, number(changed || room)
	results, err := e.insert(ctx, s, "insert", a)
	if err != nil {
		return err
	}
	var left []*job
	for _, j := range fresh {
		if results[j.put.delivery.UID] != wasStored {
			left = append(left, j)
		}
	}
	if len(left) == 0 {
		return nil
	}
	// Another writer committed what makes them duplicates, or a head, after we
	// looked.
	if tries++; tries == 10 {
		return fmt.Errorf("%w: %d of %d deliveries were stored", errConflict, len(fresh)-len(left), len(fresh))
	}
	return e.storeChecked(ctx, s, left, m, tries)
}

// putArgs are the arguments of the statements that store a batch.
func (e *postgresEngine) putArgs(batch []*job, timeout string) args {
	rows, bytes := pack(batch)
	return args{"window": e.window(), "wait": timeout, "rows": rows, "bytes": bytes, "standby": number(e.requiresStandby())}
}

// An insertResult is what an insert made of a delivery. Zero means that it did not decide
// about it: the delivery is a duplicate, or a head must give way first.
type insertResult int

const (
	wasStored insertResult = iota + 1
	wasLocked              // another transaction holds the key
)

// insert stores deliveries with one statement, and returns the results by UID.
func (e *postgresEngine) insert(ctx context.Context, s session, name string, a args) (map[string]insertResult, error) {
	results := make(map[string]insertResult)
	err := e.query(ctx, s, name, a, func(row *sql.Rows) error {
		var uid string
		var locked bool
		err := row.Scan(&uid, &locked)
		if results[uid] = wasStored; locked {
			results[uid] = wasLocked
		}
		return err
	})
	return results, e.standbyError(err)
}

// lockTimeout is a duration as PostgreSQL reads it.
func lockTimeout(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
