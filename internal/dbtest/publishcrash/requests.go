package publishcrash

import "time"

// A request is what an endpoint has received.
type request struct {
	at             time.Time // when it began
	endpoint, name string
	id             string // its Webhook-Id
	life           int    // of the publisher that has sent it
	fault          string // of its bytes or its signature
}

// begin notes a request. It returns its entry, nil if it should not have come.
func (a *account) begin(q request) *entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, to := a.record(q.name), a.endpoints[q.endpoint]
	if r == nil || to == nil || q.life == 0 || q.life > a.life {
		a.book.Faultf("request %+v: nobody has published it, or created its endpoint", q)
		return nil
	}
	e := a.entry(r, to)
	if q.fault != "" {
		a.book.Faultf("%s: %s", e.ID, q.fault)
	}
	a.identify(r, q.id)
	if !to.deleted.IsZero() {
		late := q.at.Sub(to.deleted)
		a.total.Latest = max(a.total.Latest, late)
		if late > maxLate {
			a.book.Faultf("%s began %v after its endpoint was deleted", e.ID, late.Round(time.Millisecond))
		}
	}
	a.running++
	a.total.Requests++
	if a.book.Begin(e); e.Runs > 1 {
		a.runsAgain(e)
	}
	to.life = q.life
	d := &e.Detail
	d.again, d.inFlight = false, q.life <= a.dead
	switch {
	case d.inFlight: // it comes late
		a.total.InFlight++
	case !d.settled:
		a.open[e] = true
	}
	return e
}

// runsAgain notes a request of what was sent before.
func (a *account) runsAgain(e *entry) {
	d := &e.Detail
	switch {
	case d.settled:
		a.book.Faultf("%s was sent again after it was settled", e.ID)
	case d.inFlight:
		a.total.SecondRuns++
	case d.again:
		a.total.Retried++
	default:
		a.total.Expired++
	}
}

// end notes that a request has arrived, and is answered.
func (a *account) end(e *entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running--
	a.book.Handle(e)
}

// knows reports whether the present publisher has sent to an endpoint.
func (a *account) knows(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.endpoints[id].life == a.life
}

// moment returns the state that a kill would meet.
func (a *account) moment() moment {
	a.mu.Lock()
	defer a.mu.Unlock()
	return moment{a.total.Published - a.lastKill.Published, a.running}
}

// latest returns how late a request has begun after its endpoint was deleted, at most.
func (a *account) latest() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total.Latest
}

// report closes the account. Rows are the IDs, by name, of the events whose transactions have
// committed.
func (a *account) report(rows map[string]string) Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, id := range rows {
		switch r := a.record(name); {
		case r == nil:
			a.book.Faultf("%q is committed, and nobody has published it", name)
		case r.published:
			a.identify(r, id)
		default:
			a.acknowledge(r, id)
		}
	}
	for e := range a.book.Entries() {
		d := e.Detail
		e.Optional = d.endpoint.deleting
		if _, ok := rows[d.event.name()]; e.Runs > 0 && !ok && d.event.how != plain {
			a.book.Faultf("%s has arrived, though its transaction has not committed", e.ID)
		}
		if e.Runs > 0 && !d.event.sent {
			a.book.Faultf("%s has arrived, and nobody has published it", e.ID)
		}
	}
	a.book.CheckOrder()
	t := a.total
	t.Lost, t.Faults = a.book.Lost(), a.book.Faults
	return t
}
