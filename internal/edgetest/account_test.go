package edgetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
)

// The lines of the journal. Each has the name of a process and the id of a delivery.
const (
	begun    = "begun"    // a run of the callback, with when, and when its lease ends
	handled  = "handled"  // it succeeded
	failed   = "failed"   // its context ended first
	settled  = "settled"  // the claim ended for good
	released = "released" // the claim was given back after a run
	lost     = "lost"     // the claim was lost
	damaged  = "damaged"  // these are not the bytes that were sent
	tries    = "tries"    // a relay calls Store
	stored   = "stored"   // Store returned nil, or that the delivery was known
	refused  = "refused"  // Store returned another error
	killed   = "killed"   // the process was killed
	outage   = "outage"   // the database was killed; has no name and no id
)

// An account is the ledger of one trial. It is safe for concurrent use.
type account struct {
	mu     sync.Mutex
	book   ledger.Book[detail]
	claims map[*entry]string // the worker that has begun it, not settled or given back
	probes map[string]*probes
	total  totals
}

type entry = ledger.Entry[detail]

type detail struct {
	expires int64 // lease of the last run
	excused bool  // its worker or the database was killed since the last run began
	settled bool
}

// totals counts.
type totals struct {
	sent, acknowledged, handled int
	unhandled                   int // acknowledged, and no run has succeeded
	secondRuns                  int // after a kill of the worker or the database
	expired                     int // second runs of others, because a busy machine let a lease run out
	stored, refused             int // calls of Store
	refusals                    int // of senders
}

func newAccount() *account {
	return &account{book: ledger.NewBook[detail](), claims: make(map[*entry]string), probes: make(map[string]*probes)}
}

// send notes that a delivery is about to be sent for the first time.
func (a *account) send(id, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.book.Send(id, key)
	a.total.sent++
}

// acknowledge notes a 202, after the whole answer was read.
func (a *account) acknowledge(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.book.Entry(id)
	if !a.book.Acknowledge(e) {
		return // sent again though acknowledged
	}
	a.total.acknowledged++
	if !e.Handled {
		a.total.unhandled++
	}
}

// refuse notes that a call was not acknowledged. It is a fault if all had to be.
func (a *account) refuse(id string, err error, fault bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total.refusals++
	if fault {
		a.book.Faultf("the sender of %s saw an error: %v", id, err)
	}
}

// read notes a line of the journal.
func (a *account) read(line string) {
	var verb, who, id string
	var now, expires int64
	_, _ = fmt.Sscan(line, &verb, &who, &id, &now, &expires) // most lines have no times
	a.mu.Lock()
	defer a.mu.Unlock()
	switch verb {
	case killed, outage:
		a.excuse(verb, who)
		return
	case tries, stored, refused:
		a.probe(verb, who)
		return
	}
	e := a.book.Entry(id)
	if e == nil {
		a.book.Faultf("%q: nothing of that id was sent", line)
		return
	}
	switch verb {
	case begun:
		a.begin(e, now)
		e.Detail.expires, a.claims[e] = expires, who
	case handled:
		if !e.Handled {
			a.total.handled++
			if e.Acknowledged() {
				a.total.unhandled--
			}
		}
		a.book.Handle(e)
	case failed:
	case settled:
		delete(a.claims, e)
		e.Detail.settled = true
	case released:
		delete(a.claims, e)
		e.Detail.expires = 0 // it may run at once
	case lost:
	case damaged:
		a.book.Faultf("%s has not the bytes that were sent", id)
	default:
		a.book.Faultf("%q: no such line", line)
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
			a.total.secondRuns++
		default:
			a.total.expired++
		}
	}
	e.Detail.excused = false
}

// excuse notes a kill: what the process had claimed may run again when its lease has run out,
// after a kill of the database what anyone had claimed.
func (a *account) excuse(verb, who string) {
	delete(a.probes, who)
	for e, worker := range a.claims {
		if verb == outage || worker == who {
			e.Detail.excused = true
			delete(a.claims, e)
		}
	}
}

// now returns the totals so far.
func (a *account) now() totals {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total
}

// err closes the account and returns nil if every promise was kept.
func (a *account) err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.book.CheckOrder()
	var errs []error
	if a.total.acknowledged == 0 {
		errs = append(errs, errors.New("nothing was acknowledged"))
	}
	if gone := a.book.Lost(); len(gone) > 0 {
		errs = append(errs, fmt.Errorf("%d acknowledged deliveries were never handled: %s", len(gone), ledger.First(gone, " ")))
	}
	if n := len(a.book.Faults); n > 0 {
		errs = append(errs, fmt.Errorf("%d faults: %s", n, ledger.First(a.book.Faults, "; ")))
	}
	return errors.Join(errs...)
}

func (n totals) String() string {
	return fmt.Sprintf("%d sent, %d acknowledged, %d handled, %d refusals that senders saw, %d second runs after kills, %d after leases that ran out, %d calls of Store failed",
		n.sent, n.acknowledged, n.handled, n.refusals, n.secondRuns, n.expired, n.refused)
}
