package sqlinbox

import (
	"context"
	"fmt"
	"time"
)

// prepare makes the arguments of one delivery: statements take one each.
func (e *sqliteEngine) prepare(en *entry) error {
	en.args = en.arguments()
	return nil
}

func (e *sqliteEngine) put(ctx context.Context, en *entry) (superseded []string, err error) {
	j := &job{put: en}
	err = e.submit(ctx, j)
	return j.supersededUnless(ctx, err), err
}

// putArgs are the arguments of the statements that store one delivery. They have
// one instant, so that what one of them decides by the time holds for the next.
func (e *sqliteEngine) putArgs(en *entry) args {
	a := en.args
	now := time.Now().UnixMicro()
	a["now"], a["burst"], a["window"] = now, now, e.window()
	return a
}

// storeBatch stores the deliveries of a batch one after the other, in a transaction
// of the engine: after an error it must not be committed.
func (e *sqliteEngine) storeBatch(ctx context.Context, s session, batch []*job) error {
	for _, j := range batch {
		if j.put == nil {
			continue
		}
		j.reset()
		stored, err := e.storeOptimistic(ctx, s, j.put)
		if err == nil && !stored {
			err = e.storeTx(ctx, s, j)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// storeOptimistic stores a delivery without looking first whether it is a duplicate,
// which hardly any is. If one of its dedup keys exists, or the insert leaves it out,
// it takes back its dedup keys, and the delivery is to be looked up first, like one
// that coalesces.
func (e *sqliteEngine) storeOptimistic(ctx context.Context, s session, en *entry) (stored bool, err error) {
	if en.coalesces() {
		return false, nil
	}
	a := e.putArgs(en)
	inserted, err := e.insertDedupKeys(ctx, s, en, a)
	if err != nil {
		return false, err
	}
	if inserted == len(en.dedupKeys) {
		if stored, err = e.insert(ctx, s, a); stored || err != nil {
			return stored, err
		}
	}
	if inserted > 0 {
		err = e.forEachHash(ctx, s, en, "delete_new_dedup_key", a)
	}
	return false, err
}

// insertDedupKeys inserts the dedup keys of a delivery until it meets one that
// exists, two by one statement, and returns how many it inserted.
func (e *sqliteEngine) insertDedupKeys(ctx context.Context, s session, en *entry, a args) (inserted int, err error) {
	for hashes := en.hashes; len(hashes) > 0; {
		name, want := "insert_dedup_key", 1
		a["hash"] = hashes[:hashSize]
		if len(hashes) >= 2*hashSize {
			name, want = "insert_dedup_key_pair", 2
			a["other"] = hashes[hashSize : 2*hashSize]
		}
		n, err := e.exec(ctx, s, name, a)
		inserted += int(n)
		if err != nil || int(n) < want {
			return inserted, err
		}
		hashes = hashes[want*hashSize:]
	}
	return inserted, nil
}

// forEachHash runs a statement for each dedup key of a delivery.
func (e *sqliteEngine) forEachHash(ctx context.Context, s session, en *entry, name string, a args) error {
	for hashes := en.hashes; len(hashes) > 0; hashes = hashes[hashSize:] {
		a["hash"] = hashes[:hashSize]
		if _, err := e.exec(ctx, s, name, a); err != nil {
			return err
		}
	}
	return nil
}

// store looks a delivery up and stores it if it is new.
func (e *sqliteEngine) storeTx(ctx context.Context, s session, j *job) error {
	a := e.putArgs(j.put)
	fresh, _, err := e.dedupe(ctx, s, []*job{j}, a, lockMode{waits: true})
	if err != nil || len(fresh) == 0 {
		return err
	}
	if _, err := e.makeRoom(ctx, s, fresh, a); err != nil {
		return err
	}
	if j.put.burst != 0 {
		a["burst"] = j.put.burst
	}
	stored, err := e.insert(ctx, s, a)
	if err == nil && !stored {
		err = fmt.Errorf("sqlinbox: insert: %s is refused", j.put.delivery.UID)
	}
	if err != nil {
		return err
	}
	return e.forEachHash(ctx, s, j.put, "replace_dedup_key", a)
}

// insert stores a delivery without its dedup keys, unless the statement leaves it
// out.
func (e *sqliteEngine) insert(ctx context.Context, s session, a args) (stored bool, err error) {
	n, err := e.exec(ctx, s, "insert", a)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = e.exec(ctx, s, "insert_bodies", a)
	return err == nil, err
}
