package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// withoutKnown gives those of a round that are known their answer, and returns
// the others, and whether room has been made for them. A is of the round.
func (in *Inbox) withoutKnown(ctx context.Context, s session, round []*job, a args, g grip) (fresh []*job, changed bool, err error) {
	first := make([]*known, len(round))
	redelivered := make([][]string, len(round)) // UIDs of those that died and were swept
	err = in.query(ctx, s, "lookup", a, func(row *sql.Rows) error {
		var n, place, gone int
		var k known
		if err := row.Scan(&n, &place, &k.uid, &k.state, &k.senderID, &k.revived, &gone); err != nil {
			return err
		}
		switch {
		case gone == 1 && k.revivedBy(round[n].put.delivery):
			redelivered[n] = append(redelivered[n], k.uid)
		case first[n] == nil:
			first[n] = &k
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	for n, j := range round {
		if first[n] == nil {
			for _, uid := range redelivered[n] {
				if err := in.forgetFate(ctx, s, j.put, uid); err != nil {
					return nil, false, err
				}
				changed = true
			}
			fresh = append(fresh, j)
			continue
		}
		known := &webhook.DuplicateError{UID: first[n].uid, State: first[n].state}
		if first[n].revivedBy(j.put.delivery) {
			err := in.revive(ctx, s, j, known, g)
			if errors.Is(err, errHeld) || errors.Is(err, webhook.ErrNotFound) {
				j.held = true // or was deleted since: the next look tells
				continue
			}
			if err != nil {
				return nil, false, err
			}
		}
		j.result = known
	}
	return fresh, changed, nil
}

// A known is the delivery that another is a duplicate of.
type known struct {
	uid      string
	state    webhook.State
	senderID string
	revived  int
}

// revivedBy reports whether d is the sender's own redelivery of one that died.
func (k *known) revivedBy(d *webhook.Delivery) bool {
	return k.state == webhook.Dead && k.uid != d.UID && d.ID != "" && d.ID == k.senderID && k.revived < maxRevivals
}

// forgetFate takes the dedup keys of e from a delivery that died and was swept.
func (in *Inbox) forgetFate(ctx context.Context, s session, e *entry, uid string) error {
	marks, _ := json.Marshal(e.marks) // strings only: cannot fail
	_, err := in.exec(ctx, s, "delete_last_state", args{"source": e.delivery.Source, "uid": uid, "marks": string(marks)})
	return err
}

// revive runs a dead one again, and completes what is told of it.
func (in *Inbox) revive(ctx context.Context, s session, j *job, e *webhook.DuplicateError, g grip) error {
	row, err := in.find(ctx, s, e.UID, g)
	if err != nil {
		return err
	}
	e.State = row.state
	if row.state != webhook.Dead || row.revived >= maxRevivals {
		return nil // another was quicker
	}
	if ok, err := in.restart(ctx, s, j, row, 1, g); err != nil || !ok {
		return err
	}
	row, err = in.find(ctx, s, e.UID, g)
	e.State, e.Revived = row.state, true
	return err
}

// A found is what is needed to run a finished delivery again.
type found struct {
	id       int64
	origin   int64 // the id of its first run
	uid      string
	state    webhook.State
	quiet    int64
	most     int64
	senderID string
	revived  int
	keyed
}

// find reads a delivery, and where there are several writers holds its row.
func (in *Inbox) find(ctx context.Context, s session, uid string, g grip) (found, error) {
	name := "find"
	if !g.waits && !in.dialect.pinned {
		name = "try_find"
	}
	f := found{uid: uid}
	err := in.query(ctx, s, name, args{"uid": uid}, func(row *sql.Rows) error {
		return row.Scan(&f.id, &f.origin, &f.state, &f.source, &f.key, &f.quiet, &f.most, &f.senderID, &f.revived)
	})
	switch {
	case err != nil:
	case f.state == "":
		err = webhook.ErrNotFound
	case f.id == 0:
		err = errHeld
	}
	return f, err
}

// restart puts a finished delivery at the end of its key, as if it had just
// come. One that coalesces is left as it is, and false returned, while a younger
// one is unfinished, which would be superseded by what it supersedes. errHeld
// comes before anything is changed.
func (in *Inbox) restart(ctx context.Context, s session, j *job, f found, revived int, g grip) (bool, error) {
	a := args{"uid": f.uid, "revived": revived, "burst": int64(1 << 62)}
	if f.key != "" {
		if _, err := in.lockKey(ctx, s, f.keyed, g); err != nil {
			return false, err
		}
		if overtaken, err := in.overtaken(ctx, s, f); err != nil || overtaken {
			return false, err
		}
		if f.quiet > 0 {
			burst, err := in.supersede(ctx, s, j, f.keyed, f.uid)
			if err != nil {
				return false, err
			}
			if burst != 0 {
				a["burst"] = burst
			}
		}
	}
	var id int64
	if err := in.query(ctx, s, "restart", a, func(row *sql.Rows) error { return row.Scan(&id) }); err != nil {
		return false, err
	}
	if _, err := in.exec(ctx, s, "move_body", args{"id": id, "old": f.id}); err != nil {
		return false, err
	}
	if f.key != "" {
		if err := in.giveHead(ctx, s, f, g); err != nil {
			return false, err
		}
	}
	return true, nil
}

// giveHead makes sure that the key of f, which is behind, has a head, and holds
// that head: f itself, or one that a process which takes no such lock has made. A
// head that is not held could be finished before f is committed, and f would then
// stand behind nothing.
func (in *Inbox) giveHead(ctx context.Context, s session, f found, g grip) error {
	if _, err := in.exec(ctx, s, "demote_head", args{"rows": keyRows([]keyed{f.keyed}), "source": f.source, "key": f.key}); err != nil {
		return err
	}
	for range 5 {
		if err := in.promote(ctx, s, f.keyed); err != nil {
			return err
		}
		headed, err := in.lockKey(ctx, s, f.keyed, g)
		switch {
		case errors.Is(err, errHeld):
			return fmt.Errorf("%w: %s", errConflict, f.uid)
		case err != nil:
			return err
		case !headed:
			continue
		}
		overtaken, err := in.overtaken(ctx, s, f)
		if err == nil && overtaken {
			err = fmt.Errorf("%w: %s is overtaken by a younger delivery", errConflict, f.uid)
		}
		return err
	}
	return fmt.Errorf("%w: the key of %s has no head", errConflict, f.uid)
}

// overtaken reports whether f coalesces and a younger one of its key is
// unfinished.
func (in *Inbox) overtaken(ctx context.Context, s session, f found) (bool, error) {
	if f.quiet == 0 {
		return false, nil
	}
	var n int
	err := in.query(ctx, s, "newer", args{"source": f.source, "key": f.key, "origin": f.origin}, scanOne(&n))
	return n > 0, err
}

func (in *Inbox) promote(ctx context.Context, s session, k keyed) error {
	_, err := in.exec(ctx, s, "promote", args{"source": k.source, "key": k.key})
	return err
}
