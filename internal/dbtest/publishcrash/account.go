package publishcrash

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/ledger"
)

// What a publisher reports: of an event with its name, of a delivery with the endpoint too.
const (
	sending   = "sending"   // it is about to be published
	published = "published" // it was, with this ID
	claimed   = "claimed"   // when, and when the lease ends; see stamp
	settling  = "settling"  // the claim may have ended from now on
	settled   = "settled"   // for good
	released  = "released"  // to be claimed again
)

// maxLate is how late a request may begin after its endpoint was deleted.
const maxLate = time.Second

// An account is the ledger of one trial, kept outside the publisher. It is safe for concurrent
// use.
type account struct {
	mu        sync.Mutex
	book      ledger.Book[detail]
	life      int // of the publisher; the first process is 1
	endpoints map[string]*endpoint
	events    map[string]*record
	open      map[*entry]bool // deliveries whose request of this life has begun, and is not settled
	running   int             // requests
	total     Report
	lastKill  Report // the total when the last kill was over
	dead      int    // the last life that was killed
}

type entry = ledger.Entry[detail]

// A detail is what the account has of an event for an endpoint.
type detail struct {
	event    *record
	endpoint *endpoint
	inFlight bool // the last request was not settled when its publisher was killed
	again    bool // the delivery was given back since
	settled  bool
	claimed  bool
	expires  int64 // the last claim
}

// An endpoint is one that was created.
type endpoint struct {
	id       string
	ordered  bool
	rare     bool // it receives rare events only
	since    int  // the first life all of whose events it must receive
	deleting bool
	deleted  time.Time // when Delete had returned; zero means not
	life     int       // of the publisher that has sent to it last
}

// A record is what the account has of an event.
type record struct {
	event
	sent, published bool
	id              string
}

func newAccount() *account {
	return &account{
		book: ledger.NewBook[detail](), endpoints: make(map[string]*endpoint), events: make(map[string]*record), open: make(map[*entry]bool),
	}
}

// create notes that an endpoint was created.
func (a *account) create(e endpoint) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.since = a.life + 1
	a.endpoints[e.id] = &e
}

// deleteBegins notes that an endpoint is about to be deleted: it need not receive anything.
func (a *account) deleteBegins(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endpoints[id].deleting = true
}

// deleteEnds notes that Delete has returned.
func (a *account) deleteEnds(id string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endpoints[id].deleted = now
	a.total.Deleted++
}

// lifeBegins notes that a publisher is about to be started, and returns its number.
func (a *account) lifeBegins() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.life++
	return a.life
}

// killed notes that the publisher was killed, after everything that it printed was read. It
// returns how many requests were in flight.
func (a *account) killed() (inFlight int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	inFlight = len(a.open)
	for e := range a.open {
		e.Detail.inFlight = true
	}
	clear(a.open)
	if inFlight > concurrency {
		a.book.Faultf("%d requests were in flight at a kill, at most %d can be", inFlight, concurrency)
	}
	a.total.InFlight += inFlight
	a.lastKill, a.dead = a.total, a.life
	return inFlight
}

// read notes a line that the publisher printed.
func (a *account) read(line string) {
	words := strings.Fields(line)
	a.mu.Lock()
	defer a.mu.Unlock()
	var r *record
	if len(words) > 1 {
		r = a.record(words[1])
	}
	switch {
	case r == nil:
		a.book.Faultf("%q: no such report", line)
	case words[0] == sending:
		r.sent = true
		for _, e := range a.endpoints {
			if !e.deleting {
				a.entry(r, e)
			}
		}
	case words[0] == published && len(words) == 3:
		a.acknowledge(r, words[2])
	case len(words) < 3 || a.endpoints[words[2]] == nil:
		a.book.Faultf("%q: no such endpoint", line)
	default:
		a.claim(words[0], a.entry(r, a.endpoints[words[2]]), words[3:])
	}
}

// record returns the record of an event, nil if the name is none.
func (a *account) record(name string) *record {
	r := a.events[name]
	if r == nil {
		r = &record{event: parseEvent(name)}
		if r.life == 0 {
			return nil
		}
		a.events[name] = r
	}
	return r
}

// entry returns the entry of an event for an endpoint.
func (a *account) entry(r *record, e *endpoint) *entry {
	id, key := r.name()+"@"+e.id, ""
	if e.ordered && r.key() != "" {
		key = r.key()
	}
	found := a.book.Entry(id)
	if found == nil {
		found = a.book.Send(id, key)
		found.Detail.event, found.Detail.endpoint = r, e
	}
	return found
}

// acknowledge notes that an event is published.
func (a *account) acknowledge(r *record, id string) {
	a.identify(r, id)
	r.published = true
	a.total.Published++
	for _, e := range a.endpoints {
		if !e.deleting && e.since <= r.life && (!e.rare || r.typ() == rare) {
			a.book.Acknowledge(a.entry(r, e))
		}
	}
}

// identify notes the ID of an event.
func (a *account) identify(r *record, id string) {
	if r.id == "" {
		r.id = id
	}
	if r.id != id {
		a.book.Faultf("%s has the IDs %s and %s", r.name(), r.id, id)
	}
}

// claim notes what the publisher has reported of a delivery.
func (a *account) claim(verb string, e *entry, words []string) {
	var now, expires int64
	d := &e.Detail
	switch verb {
	case claimed:
		_, _ = fmt.Sscan(strings.Join(words, " "), &now, &expires)
		if d.claimed && now < d.expires {
			a.book.Faultf("%s was claimed again before its lease had ended", e.ID)
		}
		d.claimed, d.expires = true, expires
		return
	case settling:
		d.claimed = false
		return
	case settled:
		if d.settled {
			a.book.Faultf("%s was settled twice", e.ID)
		}
		d.settled = true
	case released:
		d.again = true
	default:
		a.book.Faultf("%s: %q: no such report", e.ID, verb)
	}
	delete(a.open, e)
}
