package model

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// checkAnswers checks that each call returned something that it may return.
func (j *checker) checkAnswers() {
	for _, e := range j.calls {
		switch {
		case e.ended == 0:
			j.fault("answer: %s of %s has none", e.op.verb, e.client.name)
		case e.err == nil, errors.Is(e.err, errRolledBack), errors.Is(e.err, sqlinbox.ErrIsolation):
		case e.duplicate != nil:
			if !slices.ContainsFunc(j.calls, func(o *call) bool {
				return o.put != nil && o.put.uid == e.duplicate.UID && o.began < e.ended && (o.err == nil || o.duplicate == nil && o.overlaps(e))
			}) {
				j.fault("answer: %s of %s is a duplicate of %s, which was never stored", e.op.verb, e.put.uid, e.duplicate.UID)
			}
		case errors.Is(e.err, webhook.ErrClaimLost):
			if !j.mayBeLost(e) {
				j.fault("answer: %s of %s, fence %d: %v; nobody else claimed it", e.op.verb, e.uid, e.fence, e.err)
			}
		case e.isAdmin() && (errors.Is(e.err, webhook.ErrState) || errors.Is(e.err, webhook.ErrNotFound)):
		case isConflict(e.err):
			if e.op.verb != puttingTx && e.op.verb != settlingTx && e.op.verb != inTx {
				j.fault("answer: %s of %s: %v", e.op.verb, e.client.name, e.err)
			}
		case isLockTimeout(e.err):
		default:
			j.fault("answer: %s of %s: %v", e.op.verb, e.client.name, e.err)
		}
	}
}

// mayBeLost reports whether another claimed or released the delivery, or it was
// settled before.
func (j *checker) mayBeLost(e *call) bool {
	return slices.ContainsFunc(j.calls, func(o *call) bool {
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
		case sweeping, discarding: // what was settled before
			return j.rows[e.uid] == nil || j.storedAgain[e.uid]
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

// isLockTimeout reports whether a call gave up waiting for a lock.
func isLockTimeout(err error) bool {
	var s sqlState
	return errors.As(err, &s) && s.SQLState() == "55P03" || errors.Is(err, context.DeadlineExceeded) ||
		strings.Contains(err.Error(), "another transaction holds the key")
}

// checkRedeliveries checks that a sender's own redelivery of a dead delivery revived
// it if it was answered as a duplicate.
func (j *checker) checkRedeliveries() {
	for _, e := range j.calls {
		if e.duplicate == nil || e.duplicate.State != webhook.Dead || e.duplicate.Revived || e.put.uid == e.duplicate.UID || e.put.id == "" {
			continue
		}
		first := slices.IndexFunc(j.plan.specs, func(p *spec) bool { return p.uid == e.duplicate.UID })
		if p := j.plan.specs[first]; p.id != e.put.id || p.coalesce.Quiet > 0 {
			continue
		}
		revived, quicker := 0, false
		for _, o := range j.calls {
			if o.duplicate != nil && o.duplicate.UID == e.duplicate.UID && o.duplicate.Revived {
				revived++
				quicker = quicker || o.overlaps(e)
			}
			quicker = quicker || o.op.verb == replaying && o.n > 0 && o.overlaps(e)
		}
		if revived < 3 && !quicker {
			j.fault("swallowed: %s, the redelivery of %s, which was dead, was acknowledged and not stored", e.put.uid, e.duplicate.UID)
		}
	}
}
