package model

import (
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
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
	for _, e := range b.entries {
		if e.put == nil || e.err != nil {
			continue
		}
		if stored[e.put.uid] {
			j.reborn[e.put.uid] = true
			if !j.swept() || len(e.put.marks) > 0 {
				j.fault("twice: %s was stored two times", e.put.uid)
			}
		}
		stored[e.put.uid] = true
	}
	return j
}

func (j *judge) swept() bool {
	return slices.ContainsFunc(j.entries, func(e *entry) bool { return e.op.verb == sweeping })
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
		if unfinished[r.key]++; r.state != webhook.Blocked {
			heads[r.key]++
		}
		if r.key == "" && r.state == webhook.Blocked {
			j.fault("stuck: %s has no key and is behind", r.uid)
		}
	}
	for key, n := range unfinished {
		if key != "" && heads[key] != 1 {
			j.fault("stuck: key %q has %d unfinished deliveries and %d heads", key, n, heads[key])
		}
	}
}

// nothingMissing: what was acknowledged is stored, unless it was swept after it
// was finished; and what was refused is not.
func (j *judge) nothingMissing() {
	for _, p := range j.plan.parcels {
		acknowledged, unknown := false, false
		for _, e := range j.entries {
			if e.put == p {
				acknowledged = acknowledged || e.err == nil
				unknown = unknown || e.err != nil && e.op.verb == putting
			}
		}
		switch r := j.rows[p.uid]; {
		case r == nil && acknowledged && (!j.swept() || !j.wasFinished(p)):
			j.fault("missing: %s was acknowledged", p.uid)
		case r != nil && !acknowledged && !unknown:
			j.fault("uninvited: %s was not stored, or taken back, and is there", p.uid)
		case r != nil && r.marks == 0 && len(p.marks) > 0:
			j.fault("dedup keys: %s has none", p.uid)
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

// marksOnce: of those with a dedup key in common one is stored, but for one
// whose forerunner was swept when it was dead.
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
			j.fault("dedup keys: %s and %s are stored with dedup key %s", list[0].put.uid, list[1].put.uid, m)
		}
	}
}
