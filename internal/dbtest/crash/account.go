package crash

import (
	"fmt"
	"slices"
	"sync"
)

// What a receiver reports of a delivery, each with its id.
const (
	begun    = "begun"    // a run of the callback: when, and until when its lease is; see stamp
	handled  = "handled"  // it ended well
	failed   = "failed"   // it ended because its context did
	settled  = "settled"  // the claim ended for good
	released = "released" // the claim was given back, or lost
	damaged  = "damaged"  // these are not the bytes that were signed
)

// A ledger is the account of one trial, kept outside the receiver. It is safe
// for concurrent use.
type ledger struct {
	mu      sync.Mutex
	entries map[string]*entry
	owed    map[string][]*entry // by key: acknowledged, not yet handled
	held    map[*entry]int      // claims: begun, not yet settled or released
	running int                 // begun, not yet ended
	total   Report
	turned  Report // as it was at the last turn
}

// An entry is a delivery.
type entry struct {
	id, key      string
	number       int // in its key: they are sent one after the other
	acknowledged bool
	handled      bool
	runs         int
	expires      int64 // of the lease of the last run
	excused      bool  // a kill met it claimed, since it last began
	settled      bool
}

func newLedger() *ledger {
	return &ledger{entries: make(map[string]*entry), owed: make(map[string][]*entry), held: make(map[*entry]int)}
}

// send enters a delivery, before it is sent for the first time.
func (l *ledger) send(id, key string, number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[id] = &entry{id: id, key: key, number: number}
	l.total.Sent++
}

// acknowledge enters a 202, after the whole answer was read.
func (l *ledger) acknowledge(id string, duplicate bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if duplicate && !e.acknowledged {
		l.total.FoundStored++
	}
	if e.acknowledged {
		return // sent once more all the same
	}
	e.acknowledged = true
	l.total.Acknowledged++
	if e.key != "" && !e.handled {
		l.owed[e.key] = append(l.owed[e.key], e)
	}
}

// read enters a line of the receiver's.
func (l *ledger) read(line string) {
	var verb, id string
	var now, expires int64
	_, _ = fmt.Sscan(line, &verb, &id, &now, &expires) // most lines end before
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil {
		l.fault("%q: nothing of that id was sent", line)
		return
	}
	switch verb {
	case begun:
		l.begin(e, now)
		e.expires = expires
	case handled:
		l.running--
		e.handled = true
		if e.key != "" {
			l.owed[e.key] = slices.DeleteFunc(l.owed[e.key], func(o *entry) bool { return o == e })
		}
	case failed:
		l.running--
	case settled:
		l.release(e)
		e.settled = true
	case released:
		l.release(e)
	case damaged:
		l.running--
		l.fault("%s has not the bytes that were sent", id)
	default:
		l.fault("%q: no such report", line)
	}
}

func (l *ledger) begin(e *entry, now int64) {
	if e.runs++; e.runs > 1 {
		switch {
		case e.settled:
			l.fault("%s ran again after it was settled", e.id)
		case now < e.expires:
			l.fault("%s ran again before its lease had run out", e.id)
		case e.excused:
			l.total.SecondRuns++
		default:
			l.total.Expired++
		}
	}
	for _, o := range l.owed[e.key] {
		if o.number < e.number {
			l.fault("%s ran before %s, which was acknowledged earlier", e.id, o.id)
		}
	}
	l.running++
	l.held[e]++
	e.excused = false
}

// release ends a claim.
func (l *ledger) release(e *entry) {
	if l.held[e]--; l.held[e] <= 0 {
		delete(l.held, e)
	}
}

// since returns how many were acknowledged since the last turn, and how many
// callbacks are running.
func (l *ledger) since() (acknowledged, running int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total.Acknowledged - l.turned.Acknowledged, l.running
}

// meet says that a kill has met what is claimed, which may run once more. It
// returns how many that are.
func (l *ledger) meet() (claimed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.held {
		e.excused = true
	}
	l.total.Claimed += len(l.held)
	return len(l.held)
}

// bury says that the receiver is gone and all that it reported is read.
func (l *ledger) bury() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = 0
	clear(l.held)
}

// turn ends the account of a kill and returns what happened since the last one.
func (l *ledger) turn() (acknowledged, secondRuns int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acknowledged = l.total.Acknowledged - l.turned.Acknowledged
	secondRuns = l.total.SecondRuns - l.turned.SecondRuns
	l.turned = l.total
	return acknowledged, secondRuns
}

// report closes the account.
func (l *ledger) report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.total
	for _, e := range l.entries {
		switch {
		case e.acknowledged && !e.handled:
			r.Lost = append(r.Lost, e.id)
		case !e.acknowledged:
			r.Unanswered++
			if e.runs > 0 {
				r.UnansweredRan++
			}
		}
	}
	slices.Sort(r.Lost)
	return r
}

func (l *ledger) fault(format string, args ...any) {
	l.total.Faults = append(l.total.Faults, fmt.Sprintf(format, args...))
}
