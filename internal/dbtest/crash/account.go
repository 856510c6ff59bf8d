package crash

import (
	"fmt"
	"sync"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
)

// What a receiver reports of a delivery, each with its id.
const (
	begun    = "begun"    // a run of the callback: when, and when its lease ends; see stamp
	handled  = "handled"  // it succeeded
	failed   = "failed"   // its context ended first
	settled  = "settled"  // the claim ended for good
	released = "released" // the claim was given back, or lost
	damaged  = "damaged"  // these are not the bytes that were signed
)

// An account is the ledger of one trial, kept outside the receiver. It is safe
// for concurrent use.
type account struct {
	mu       sync.Mutex
	book     ledger.Book[detail]
	claims   map[*entry]int // begun, not yet settled or released
	running  int            // callbacks
	total    Report
	lastKill Report // the total when the last kill was over
}

type entry = ledger.Entry[detail]

type detail struct {
	expires int64 // lease of the last run
	excused bool  // it was claimed at a kill, since its last run began
	settled bool
}

func newAccount() *account {
	return &account{book: ledger.NewBook[detail](), claims: make(map[*entry]int)}
}

// send notes that a delivery is about to be sent for the first time.
func (a *account) send(id, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.book.Send(id, key)
	a.total.Sent++
}

// acknowledge notes a 202, after the whole answer was read.
func (a *account) acknowledge(id string, duplicate bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.book.Acknowledge(a.book.Entry(id)) {
		return // sent again though acknowledged
	}
	a.total.Acknowledged++
	if duplicate {
		a.total.FoundStored++
	}
}

// read notes a line that the receiver printed.
func (a *account) read(line string) {
	var verb, id string
	var now, expires int64
	_, _ = fmt.Sscan(line, &verb, &id, &now, &expires) // most lines have no times
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.book.Entry(id)
	if e == nil {
		a.book.Faultf("%q: nothing of that id was sent", line)
		return
	}
	switch verb {
	case begun:
		a.begin(e, now)
		e.Detail.expires = expires
	case handled:
		a.running--
		a.book.Handle(e)
	case failed:
		a.running--
	case settled:
		a.release(e)
		e.Detail.settled = true
	case released:
		a.release(e)
	case damaged:
		a.running--
		a.book.Faultf("%s has not the bytes that were sent", id)
	default:
		a.book.Faultf("%q: no such report", line)
	}
}

func (a *account) begin(e *entry, now int64) {
	if a.book.Begin(e); e.Runs > 1 {
		switch {
		case e.Detail.settled:
			a.book.Faultf("%s ran again after it was settled", e.ID)
		case now < e.Detail.expires:
			a.book.Faultf("%s ran again before its lease had run out", e.ID)
		case e.Detail.excused:
			a.total.SecondRuns++
		default:
			a.total.Expired++
		}
	}
	a.running++
	a.claims[e]++
	e.Detail.excused = false
}

// release ends a claim.
func (a *account) release(e *entry) {
	if a.claims[e]--; a.claims[e] <= 0 {
		delete(a.claims, e)
	}
}

// sinceLastKill returns how many deliveries were acknowledged, and how many
// callbacks are running.
func (a *account) sinceLastKill() (acknowledged, running int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total.Acknowledged - a.lastKill.Acknowledged, a.running
}

// excuseClaims notes a kill: each delivery that is claimed now may run once more.
// It returns how many there are.
func (a *account) excuseClaims() (claimed int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for e := range a.claims {
		e.Detail.excused = true
	}
	a.total.Claimed += len(a.claims)
	return len(a.claims)
}

// endRuns notes that the receiver has ended, after everything that it printed was
// read.
func (a *account) endRuns() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running = 0
	clear(a.claims)
}

// endKill notes that a kill is over and returns what happened since the one
// before.
func (a *account) endKill() (acknowledged, secondRuns int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acknowledged = a.total.Acknowledged - a.lastKill.Acknowledged
	secondRuns = a.total.SecondRuns - a.lastKill.SecondRuns
	a.lastKill = a.total
	return acknowledged, secondRuns
}

// report closes the account.
func (a *account) report() Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.book.CheckOrder()
	r := a.total
	r.Lost, r.Faults = a.book.Lost(), a.book.Faults
	for e := range a.book.Entries() {
		if !e.Acknowledged() {
			r.Unanswered++
			if e.Runs > 0 {
				r.UnansweredRan++
			}
		}
	}
	return r
}
