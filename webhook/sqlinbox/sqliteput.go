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
			err = e.store(ctx, s, j)
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
	inserted := 0
	for _, k := range en.dedupKeys {
		a["mark"] = k
		n, err := e.exec(ctx, s, "insert_dedup_key", a)
		if err != nil {
			return false, err
		}
		if n == 0 {
			break
		}
		inserted++
	}
	if inserted == len(en.dedupKeys) {
		if stored, err = e.insert(ctx, s, a); stored || err != nil {
			return stored, err
		}
	}
	if inserted > 0 {
		_, err = e.exec(ctx, s, "delete_last_dedup_keys", args{"n": inserted})
	}
	return false, err
}

// store looks a delivery up and stores it if it is new.
func (e *sqliteEngine) store(ctx context.Context, s session, j *job) error {
	a := e.putArgs(j.put)
	fresh, _, err := e.dedupe(ctx, s, []*job{j}, a, lockMode{wait: true})
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
	if err != nil || len(j.put.dedupKeys) == 0 {
		return err
	}
	_, err = e.exec(ctx, s, "insert_dedup_keys", a)
	return err
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
