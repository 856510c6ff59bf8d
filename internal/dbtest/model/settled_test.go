package model

import (
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

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
		if e.op.outcome.RetryOutOfOrder {
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
