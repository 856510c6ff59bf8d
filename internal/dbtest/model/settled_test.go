package model

import (
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// checkSettled checks that each delivery was settled for good at most once, and that
// it has that state, unless it was restarted.
func (j *checker) checkSettled() {
	for _, r := range j.rows {
		if r.restarted || j.storedAgain[r.uid] {
			continue
		}
		fences := make(map[int64]bool)
		var final []*call
		for _, e := range j.calls {
			// Settling a claim again changes nothing.
			if e.uid == r.uid && e.settles() && e.err == nil && !fences[e.fence] {
				fences[e.fence] = true
				if e.final() {
					final = append(final, e)
				}
			}
		}
		switch {
		case slices.ContainsFunc(j.calls, func(e *call) bool { return e.buries(r.uid) }):
			if len(final) > 0 || r.state != webhook.Dead {
				j.fault("settled: %s was buried, settled for good %d times, and is %s", r.uid, len(final), r.state)
			}
		case len(final) > 1:
			j.fault("twice: %s was settled for good %d times", r.uid, len(final))
		case len(final) == 1 && r.state != final[0].wanted():
			j.fault("settled: %s is %s, not %s", r.uid, r.state, final[0].wanted())
		}
	}
}

// checkDrained checks the store after everything was claimed and settled.
func (j *checker) checkDrained() {
	for _, r := range j.rows {
		if !r.state.Final() {
			j.fault("left: %s is %s, and cannot be claimed", r.uid, r.state)
		}
		if r.state != webhook.Superseded {
			continue
		}
		p := j.plan.specs[slices.IndexFunc(j.plan.specs, func(p *spec) bool { return p.uid == r.uid })]
		if !slices.ContainsFunc(j.calls, func(e *call) bool { return j.maySupersede(e, p) }) {
			j.fault("superseded: %s, by no newer delivery", r.uid)
		}
	}
	j.checkOrder()
}

// checkOrder checks that no delivery first ran before an earlier one of its key: one
// that was acknowledged before the other was put. Deliveries that retry out of order,
// were buried or restarted do not count.
func (j *checker) checkOrder() {
	yields := make(map[string]bool)
	first := make(map[string]*call) // claim, by uid
	for _, e := range j.calls {
		if e.op.outcome.RetryOutOfOrder || e.op.verb == burying && e.err == nil {
			yields[e.uid] = true
		}
		for _, c := range e.claims {
			if first[c.Delivery.UID] == nil {
				first[c.Delivery.UID] = e
			}
		}
	}
	var puts []*call
	for _, e := range j.calls {
		if e.put == nil || e.err != nil || e.put.key == "" || yields[e.put.uid] {
			continue
		}
		if r := j.rows[e.put.uid]; r != nil && !r.restarted && !j.storedAgain[r.uid] {
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
