package model

import (
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// A checker compares the history of the calls with what is stored.
type checker struct {
	*history
	plan        *plan
	rows        map[string]*row
	faults      []string
	storedAgain map[string]bool // stored, swept, and stored once more under the same uid
}

func newChecker(b *history, pl *plan) *checker {
	j := &checker{history: b, plan: pl, storedAgain: make(map[string]bool)}
	stored := make(map[string]bool)
	for _, e := range b.calls {
		if e.put == nil || e.err != nil {
			continue
		}
		if stored[e.put.uid] {
			j.storedAgain[e.put.uid] = true
			if !j.swept() || len(e.put.dedupKeys) > 0 {
				j.fault("twice: %s was stored twice", e.put.uid)
			}
		}
		stored[e.put.uid] = true
	}
	return j
}

func (j *checker) swept() bool {
	return slices.ContainsFunc(j.calls, func(e *call) bool { return e.deletes() })
}

func (j *checker) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// checkStopped checks the store when all programs have ended.
func (j *checker) checkStopped(bodies int) {
	j.checkHeads()
	j.checkAnswers()
	j.checkStored()
	j.checkSweeps()
	j.checkDedupKeys()
	j.checkRedeliveries()
	j.checkSettled()
	j.checkNotBefore()
	j.checkPauses()
	for _, r := range j.rows {
		if r.bodies != 1 {
			j.fault("body: %s has %d", r.uid, r.bodies)
		}
	}
	if len(j.rows) > 0 && bodies != len(j.rows) {
		j.fault("body: there are %d for %d deliveries", bodies, len(j.rows))
	}
}

// checkHeads checks that each key with unfinished deliveries has exactly one that is
// waiting or claimed, and that this is no retry that lets one of the others run first.
func (j *checker) checkHeads() {
	heads, unfinished, passes := make(map[string]int), make(map[string]int), make(map[string]bool)
	for _, r := range j.rows {
		if r.state.Final() {
			continue
		}
		if unfinished[r.key]++; r.state != webhook.Blocked {
			heads[r.key]++
		}
		passes[r.key] = passes[r.key] || r.passes && r.state == webhook.Waiting
		if r.key == "" && r.state == webhook.Blocked {
			j.fault("stuck: %s has no key and is blocked", r.uid)
		}
	}
	for key, n := range unfinished {
		if key != "" && heads[key] != 1 {
			j.fault("stuck: key %q has %d unfinished deliveries and %d heads", key, n, heads[key])
		}
	}
	for _, r := range j.rows {
		if r.state == webhook.Blocked && !r.retry && passes[r.key] {
			j.fault("held back: %s, by a retry that lets others run first", r.uid)
		}
	}
}

// checkStored checks that what was acknowledged is stored, unless it was swept after
// it was finished, and that what was refused is not stored.
func (j *checker) checkStored() {
	for _, p := range j.plan.specs {
		acknowledged, unknown := false, false
		for _, e := range j.calls {
			if e.put == p {
				acknowledged = acknowledged || e.err == nil
				unknown = unknown || e.err != nil && e.op.verb == putting
			}
		}
		switch r := j.rows[p.uid]; {
		case r == nil && acknowledged && (!j.swept() || !j.wasFinished(p)):
			j.fault("missing: %s was acknowledged and is not stored", p.uid)
		case r != nil && !acknowledged && !unknown:
			j.fault("uninvited: %s was refused or rolled back, and is stored", p.uid)
		case r != nil && r.dedupKeys == 0 && len(p.dedupKeys) > 0:
			j.fault("dedup keys: %s has none", p.uid)
		}
	}
}

// wasFinished reports whether something may have finished p: a settlement, a burial, or
// a newer delivery of its burst.
func (j *checker) wasFinished(p *spec) bool {
	return slices.ContainsFunc(j.calls, func(e *call) bool {
		return e.uid == p.uid && e.final() || e.buries(p.uid) || j.maySupersede(e, p)
	})
}

// maySupersede reports whether e stored or restarted a delivery that supersedes p.
func (j *checker) maySupersede(e *call, p *spec) bool {
	if e.op.verb == replaying {
		return slices.ContainsFunc(j.plan.specs, func(o *spec) bool { return o != p && o.supersedes(p) })
	}
	return e.put != nil && e.put != p && e.put.supersedes(p) && (e.err == nil || e.duplicate != nil && e.duplicate.Revived)
}

// checkNotBefore checks that no delivery was claimed before its NotBefore, unless it was
// released or restarted.
func (j *checker) checkNotBefore() {
	for _, e := range j.calls {
		for _, c := range e.claims {
			p := j.plan.specs[slices.IndexFunc(j.plan.specs, func(p *spec) bool { return p.uid == c.Delivery.UID })]
			released := slices.ContainsFunc(j.calls, func(o *call) bool { return o.op.verb == releasing && o.uid == p.uid && o.began < e.ended })
			if r := j.rows[p.uid]; p.delayed && !released && r != nil && !r.restarted && !j.storedAgain[p.uid] {
				j.fault("early: %s was claimed before NotBefore", p.uid)
			}
		}
	}
}

// checkSweeps checks that Sweep and Discard reported as many deliveries as are gone.
func (j *checker) checkSweeps() {
	deleted, gone, known := 0, 0, true
	for _, e := range j.calls {
		switch {
		case e.deletes():
			deleted += e.n
			known = known && (e.err == nil || e.op.verb == discarding && e.n == 0)
		case e.op.verb == putting && e.err != nil && e.duplicate == nil:
			known = false
		case e.put != nil && e.err == nil && j.rows[e.put.uid] == nil:
			gone++
		}
	}
	if known && deleted != gone && len(j.storedAgain) == 0 {
		j.fault("missing: %d were deleted, %d are gone", deleted, gone)
	}
}

// checkDedupKeys checks that no two stored deliveries have a dedup key in common.
func (j *checker) checkDedupKeys() {
	holders := make(map[string][]*call)
	for _, e := range j.calls {
		if e.put == nil || e.err != nil || j.rows[e.put.uid] == nil {
			continue
		}
		for _, m := range e.put.dedupKeys {
			holders[m] = append(holders[m], e)
		}
	}
	for m, list := range holders {
		if len(list) > 1 {
			j.fault("dedup keys: %s and %s are stored with dedup key %s", list[0].put.uid, list[1].put.uid, m)
		}
	}
}
