package model

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// answers: what was told is one of the things that may be told.
func (j *judge) answers() {
	for _, e := range j.entries {
		switch {
		case e.ended == 0:
			j.fault("answer: %s of %s has none", e.op.verb, e.player.name)
		case e.err == nil, errors.Is(e.err, errUndone), errors.Is(e.err, sqlinbox.ErrIsolation):
		case e.known != nil:
			if !slices.ContainsFunc(j.entries, func(o *entry) bool {
				return o.put != nil && o.put.uid == e.known.UID && o.began < e.ended && (o.err == nil || o.known == nil && o.overlaps(e))
			}) {
				j.fault("answer: %s of %s is a duplicate of %s, which was never stored", e.op.verb, e.put.uid, e.known.UID)
			}
		case errors.Is(e.err, webhook.ErrClaimLost):
			if !j.mayBeLost(e) {
				j.fault("answer: %s of %s, fence %d: %v; nobody else had it", e.op.verb, e.uid, e.fence, e.err)
			}
		case (e.op.verb == releasing || e.op.verb == replaying) && (errors.Is(e.err, webhook.ErrState) || errors.Is(e.err, webhook.ErrNotFound)):
		case isConflict(e.err):
			if e.op.verb != puttingTx && e.op.verb != settlingTx && e.op.verb != inTx {
				j.fault("answer: %s of %s: %v", e.op.verb, e.player.name, e.err)
			}
		case isPatienceOver(e.err):
		default:
			j.fault("answer: %s of %s: %v", e.op.verb, e.player.name, e.err)
		}
	}
}

// mayBeLost: another claimed it or released it, or it had been settled before.
func (j *judge) mayBeLost(e *entry) bool {
	return slices.ContainsFunc(j.entries, func(o *entry) bool {
		if o == e || o.began > e.ended {
			return false
		}
		switch o.op.verb {
		case claiming:
			return slices.ContainsFunc(o.claims, func(c webhook.Claim) bool {
				return c.Delivery.UID == e.uid && (c.Fence > e.fence || c.Fence == e.fence && o.op.short)
			})
		case releasing:
			return o.uid == e.uid && o.err == nil
		case sweeping: // what was settled before
			return j.rows[e.uid] == nil || j.reborn[e.uid]
		case settling, settlingTx, inTx:
			// It cannot begin any more. Settling it again returns what came of it.
			return e.op.verb == beginning && o.uid == e.uid && o.fence == e.fence && o.err == nil
		}
		return false
	})
}

type sqlState interface{ SQLState() string }

func isConflict(err error) bool {
	var s sqlState
	return errors.As(err, &s) && slices.Contains([]string{"40001", "40P01", "23505", "23502"}, s.SQLState())
}

// isPatienceOver reports whether a lock was waited for in vain.
func isPatienceOver(err error) bool {
	var s sqlState
	return errors.As(err, &s) && s.SQLState() == "55P03" || errors.Is(err, context.DeadlineExceeded) ||
		strings.Contains(err.Error(), "another transaction holds the key")
}

// redeliveries: what was answered as a duplicate of a dead one, by the sender's own
// redelivery, has made it live again.
func (j *judge) redeliveries() {
	for _, e := range j.entries {
		if e.known == nil || e.known.State != webhook.Dead || e.known.Revived || e.put.uid == e.known.UID || e.put.id == "" {
			continue
		}
		first := slices.IndexFunc(j.plan.parcels, func(p *parcel) bool { return p.uid == e.known.UID })
		if p := j.plan.parcels[first]; p.id != e.put.id || p.coalesce.Quiet > 0 {
			continue
		}
		revived, quicker := 0, false
		for _, o := range j.entries {
			if o.known != nil && o.known.UID == e.known.UID && o.known.Revived {
				revived++
				quicker = quicker || o.overlaps(e)
			}
			quicker = quicker || o.op.verb == replaying && o.n > 0 && o.overlaps(e)
		}
		if revived < 3 && !quicker {
			j.fault("swallowed: %s, the redelivery of %s, which was dead, was acknowledged and is stored nowhere", e.put.uid, e.known.UID)
		}
	}
}
