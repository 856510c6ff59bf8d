package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// putArgs are the arguments of the statements of a put: of a batch, or of the
// first where statements take one delivery. Those see the same instant, so that
// what one of them decides by the time holds for the next.
func (in *Inbox) putArgs(batch []*entry, wait string) args {
	if !in.dialect.pinned {
		rows, bytes := pack(batch)
		return args{"window": in.window(), "wait": wait, "rows": rows, "bytes": bytes}
	}
	a := batch[0].args
	now := time.Now().UnixMicro()
	a["now"], a["burst"], a["window"] = now, now, in.window()
	return a
}

// A fate is what a statement made of a delivery. Zero: it left it out.
type fate int

const (
	stored fate = iota + 1
	held        // another transaction holds the key
)

// insert stores deliveries with one statement, and returns what became of them
// by UID.
func (in *Inbox) insert(ctx context.Context, s session, name string, a args) (map[string]fate, error) {
	fates := make(map[string]fate)
	err := in.query(ctx, s, name, a, func(row *sql.Rows) error {
		var uid string
		var isHeld bool
		err := row.Scan(&uid, &isHeld)
		if fates[uid] = stored; isHeld {
			fates[uid] = held
		}
		return err
	})
	return fates, err
}

// insertOne stores a delivery without its dedup keys, unless the statement
// leaves it out.
func (in *Inbox) insertOne(ctx context.Context, s session, a args) (stored bool, err error) {
	n, err := in.exec(ctx, s, "insert", a)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = in.exec(ctx, s, "insert_bodies", a)
	return err == nil, err
}

// insertMarked stores a delivery that is known to be new.
func (in *Inbox) insertMarked(ctx context.Context, s session, e *entry, a args) error {
	if e.burst != 0 {
		a["burst"] = e.burst
	}
	done, err := in.insertOne(ctx, s, a)
	if err == nil && !done {
		err = fmt.Errorf("sqlinbox: insert: %s is refused", e.delivery.UID)
	}
	if err != nil || len(e.marks) == 0 {
		return err
	}
	_, err = in.exec(ctx, s, "insert_dedup_keys", a)
	return err
}

func entries(batch []*job) []*entry {
	list := make([]*entry, len(batch))
	for i, j := range batch {
		list[i] = j.put
	}
	return list
}
