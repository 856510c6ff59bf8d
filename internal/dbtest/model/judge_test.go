package model

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A judge compares what the players were told with what is stored.
type judge struct {
	*book
	plan   *plan
	rows   map[string]*stored
	faults []string
	reborn map[string]bool // stored, swept, and stored once more under the same uid
}

func newJudge(b *book, pl *plan) *judge {
	j := &judge{book: b, plan: pl, reborn: make(map[string]bool)}
	stored := make(map[string]bool)
	swept := false
	for _, e := range b.entries {
		swept = swept || e.op.verb == sweeping
		if e.put == nil || e.err != nil {
			continue
		}
		if stored[e.put.uid] {
			j.reborn[e.put.uid] = true
			if !swept || len(e.put.marks) > 0 {
				j.fault("twice: %s was stored two times", e.put.uid)
			}
		}
		stored[e.put.uid] = true
	}
	return j
}

func (j *judge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// atRest judges once every player is through.
func (j *judge) atRest(bodies int) {
	j.heads()
	j.answers()
	j.nothingMissing()
	j.sweeps()
	j.marksOnce()
	j.redeliveries()
	j.settled()
	for _, r := range j.rows {
		if r.bodies != 1 {
			j.fault("body: %s has %d", r.uid, r.bodies)
		}
	}
	if len(j.rows) > 0 && bodies != len(j.rows) {
		j.fault("body: there are %d for %d deliveries", bodies, len(j.rows))
	}
}

// heads: of each key with unfinished work exactly one is waiting or claimed.
func (j *judge) heads() {
	heads, unfinished := make(map[string]int), make(map[string]int)
	for _, r := range j.rows {
		if r.state.Final() {
			continue
		}
		if unfinished[r.key]++; r.state != webhook.Behind {
			heads[r.key]++
		}
		if r.key == "" && r.state == webhook.Behind {
			j.fault("stuck: %s has no key and is behind", r.uid)
		}
	}
	for key, n := range unfinished {
		if key != "" && heads[key] != 1 {
			j.fault("stuck: key %q has %d unfinished deliveries and %d heads", key, n, heads[key])
		}
	}
}

// answers: what was told is one of the things that may be told.
func (j *judge) answers() {
	for _, e := range j.entries {
		switch {
		case e.ended == 0:
			j.fault("answer: %s of %s has none", e.op.verb, e.player.name)
		case e.err == nil, errors.Is(e.err, errUndone), isRefusal(e.err):
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
		case (e.op.verb == releasing || e.op.verb == replaying) && (errors.Is(e.err, sqlinbox.ErrState) || errors.Is(e.err, sqlinbox.ErrNotFound)):
		case isConflict(e.err):
			if e.op.verb != puttingTx && e.op.verb != settlingTx && e.op.verb != inTx && readCommitted {
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
		case settling, settlingTx, inTx:
			return !settlesAgain && o.uid == e.uid && o.fence == e.fence && o.err == nil
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
	return errors.As(err, &s) && s.SQLState() == "55P03" || errors.Is(err, context.DeadlineExceeded)
}

// nothingMissing: what was acknowledged is stored, unless it was swept after it
// was finished; and what was refused is not.
func (j *judge) nothingMissing() {
	swept := slices.ContainsFunc(j.entries, func(e *entry) bool { return e.op.verb == sweeping })
	for _, p := range j.plan.parcels {
		acknowledged, unknown := false, false
		for _, e := range j.entries {
			if e.put == p {
				acknowledged = acknowledged || e.err == nil
				unknown = unknown || e.err != nil && e.op.verb == putting
			}
		}
		switch r := j.rows[p.uid]; {
		case r == nil && acknowledged && (!swept || !j.wasFinished(p)):
			j.fault("missing: %s was acknowledged", p.uid)
		case r != nil && !acknowledged && !unknown:
			j.fault("uninvited: %s was not stored, or taken back, and is there", p.uid)
		case r != nil && r.marks == 0 && len(p.marks) > 0:
			j.fault("marks: %s has none", p.uid)
		}
	}
}

// wasFinished reports whether something may have ended p: a settlement, or a younger
// one of a burst.
func (j *judge) wasFinished(p *parcel) bool {
	return slices.ContainsFunc(j.entries, func(e *entry) bool {
		return e.uid == p.uid && e.final() || j.mayOvertake(e, p)
	})
}

// mayOvertake reports whether e put, or made run again, one that supersedes p.
func (j *judge) mayOvertake(e *entry, p *parcel) bool {
	if e.op.verb == replaying {
		return slices.ContainsFunc(j.plan.parcels, func(o *parcel) bool { return o != p && o.key == p.key && o.coalesce.Quiet > 0 })
	}
	return e.put != nil && e.put != p && e.put.key == p.key && p.key != "" && e.put.coalesce.Quiet > 0 && (e.err == nil || e.known != nil && e.known.Revived)
}

// sweeps: they deleted as many as are missing.
func (j *judge) sweeps() {
	deleted, gone, known := 0, 0, true
	for _, e := range j.entries {
		switch {
		case e.op.verb == sweeping:
			deleted += e.n
			known = known && e.err == nil
		case e.op.verb == putting && e.err != nil && e.known == nil:
			known = false
		case e.put != nil && e.err == nil && j.rows[e.put.uid] == nil:
			gone++
		}
	}
	if known && deleted != gone && len(j.reborn) == 0 {
		j.fault("missing: %d were swept, %d are gone", deleted, gone)
	}
}

// marksOnce: of those with a mark in common one is stored, but for one whose
// forerunner was swept when it was dead.
func (j *judge) marksOnce() {
	holders := make(map[string][]*entry)
	for _, e := range j.entries {
		if e.put == nil || e.err != nil || j.rows[e.put.uid] == nil {
			continue
		}
		for _, m := range e.put.marks {
			holders[m] = append(holders[m], e)
		}
	}
	for m, list := range holders {
		if len(list) > 1 {
			j.fault("marks: %s and %s are stored with mark %s", list[0].put.uid, list[1].put.uid, m)
		}
	}
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

// settled: what was settled for good stays so, and was once, unless it was made to
// run again.
func (j *judge) settled() {
	for _, r := range j.rows {
		if r.again || j.reborn[r.uid] {
			continue
		}
		fences := make(map[int64]bool)
		var final []*entry
		for _, e := range j.entries {
			// What settles a claim once more changes nothing.
			if e.uid == r.uid && e.settles() && e.err == nil && !fences[e.fence] {
				fences[e.fence] = true
				if e.final() {
					final = append(final, e)
				}
			}
		}
		switch {
		case len(final) > 1:
			j.fault("twice: %s was settled for good %d times", r.uid, len(final))
		case len(final) == 1 && r.state != final[0].wanted():
			j.fault("settled: %s is %s, not %s", r.uid, r.state, final[0].wanted())
		}
	}
}

// workedOff judges once everything was claimed and settled.
func (j *judge) workedOff() {
	for _, r := range j.rows {
		if !r.state.Final() {
			j.fault("left: %s is %s, and cannot be claimed", r.uid, r.state)
		}
		if r.state != webhook.Superseded {
			continue
		}
		p := j.plan.parcels[slices.IndexFunc(j.plan.parcels, func(p *parcel) bool { return p.uid == r.uid })]
		if !slices.ContainsFunc(j.entries, func(e *entry) bool { return j.mayOvertake(e, p) }) {
			j.fault("superseded: %s, by nothing", r.uid)
		}
	}
	j.order()
}

// order: of one key nothing runs first that was put after another was acknowledged,
// unless one of the two yields, or was made to run again.
func (j *judge) order() {
	yields := make(map[string]bool)
	first := make(map[string]*entry) // claim, by uid
	for _, e := range j.entries {
		if e.op.outcome.Yield {
			yields[e.uid] = true
		}
		for _, c := range e.claims {
			if first[c.Delivery.UID] == nil {
				first[c.Delivery.UID] = e
			}
		}
	}
	var puts []*entry
	for _, e := range j.entries {
		if e.put == nil || e.err != nil || e.put.key == "" || yields[e.put.uid] {
			continue
		}
		if r := j.rows[e.put.uid]; r != nil && !r.again && !j.reborn[r.uid] {
			puts = append(puts, e)
		}
	}
	for _, older := range puts {
		for _, younger := range puts {
			if older.put.key != younger.put.key || older.ended > younger.began || first[younger.put.uid] == nil {
				continue
			}
			switch a, b := first[older.put.uid], first[younger.put.uid]; {
			case a == nil && j.rows[older.put.uid].state != webhook.Superseded:
				j.fault("order: %s ran, %s before it did not", younger.put.uid, older.put.uid)
			case a != nil && a.began > b.ended:
				j.fault("order: %s ran before %s, which was acknowledged before it was put", younger.put.uid, older.put.uid)
			}
		}
	}
}
