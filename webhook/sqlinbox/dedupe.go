package sqlinbox

import (
	"context"
	"database/sql"
	"errors"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

// dedupe sets the results of those of a group that are duplicates, and returns the
// others, and whether rows were changed for them. The arguments a are those of the group.
func (t *tables) dedupe(ctx context.Context, s session, group []*job, a args, m lockMode) (fresh []*job, changed bool, err error) {
	known, redelivered, err := t.lookup(ctx, s, group, a)
	if err != nil {
		return nil, false, err
	}
	for n, j := range group {
		if known[n] == nil {
			for _, uid := range redelivered[n] {
				if err := t.deleteLastState(ctx, s, j.put, uid); err != nil {
					return nil, false, err
				}
				changed = true
			}
			fresh = append(fresh, j)
			continue
		}
		dup := &webhook.DuplicateError{UID: known[n].uid, State: known[n].state}
		if known[n].isRevivedBy(j.put.delivery) {
			err := t.revive(ctx, s, j, dup, m)
			if errors.Is(err, errLeftOut) || errors.Is(err, webhook.ErrNotFound) {
				j.leftOut = true // locked, or deleted since: the next try looks it up again
				continue
			}
			if err != nil {
				return nil, false, err
			}
		}
		j.result = dup
	}
	return fresh, changed, nil
}

// lookup returns for each of a group the delivery that it is a duplicate of, nil if
// there is none, and the UIDs of those that it is the redelivery of, which died and
// were swept.
func (t *tables) lookup(ctx context.Context, s session, group []*job, a args) (known []*duplicateOf, redelivered [][]string, err error) {
	known = make([]*duplicateOf, len(group))
	redelivered = make([][]string, len(group))
	err = t.query(ctx, s, "lookup", a, func(row *sql.Rows) error {
		var n, place, swept int
		var k duplicateOf
		if err := row.Scan(&n, &place, &k.uid, &k.state, &k.senderID, &k.revived, &swept); err != nil {
			return err
		}
		switch {
		case swept == 1 && k.isRevivedBy(group[n].put.delivery):
			redelivered[n] = append(redelivered[n], k.uid)
		case known[n] == nil:
			known[n] = &k
		}
		return nil
	})
	return known, redelivered, err
}

// A duplicateOf is the delivery that another is a duplicate of.
type duplicateOf struct {
	uid      string
	state    webhook.State
	senderID string
	revived  int
}

// isRevivedBy reports whether d is the sender's own redelivery of one that died.
func (k *duplicateOf) isRevivedBy(d *webhook.Delivery) bool {
	return k.state == webhook.Dead && k.uid != d.UID && d.ID != "" && d.ID == k.senderID && k.revived < limit.Revivals
}

// deleteLastState takes the dedup keys of e from a delivery that died and was swept.
func (t *tables) deleteLastState(ctx context.Context, s session, e *entry, uid string) error {
	_, err := t.exec(ctx, s, "delete_last_state", args{"uid": uid, "hashes": e.hashes})
	return err
}

// revive runs a dead delivery again, and completes what dup says of it.
func (t *tables) revive(ctx context.Context, s session, j *job, dup *webhook.DuplicateError, m lockMode) error {
	row, err := t.find(ctx, s, dup.UID, m)
	if err != nil {
		return err
	}
	dup.State = row.state
	if row.state != webhook.Dead || row.revived >= limit.Revivals {
		return nil // another was quicker
	}
	if ok, err := t.requeue(ctx, s, j, row, rerun{}, m); err != nil || !ok {
		return err
	}
	row, err = t.find(ctx, s, dup.UID, m)
	dup.State, dup.Revived = row.state, true
	return err
}
