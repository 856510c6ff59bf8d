package ledger

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// A Book is an account of deliveries, kept outside the database: what senders
// were answered, and what ran. D is what a trial notes of a delivery beside that.
// Make it with [NewBook]. It is not safe for concurrent use.
type Book[D any] struct {
	Faults  []string // broken promises, as sentences
	clock   int      // advances with each entry
	entries map[string]*Entry[D]
	runs    map[string][]event[D] // by ordering key
}

// An Entry is what the book has of one delivery.
type Entry[D any] struct {
	ID, Key string
	Runs    int  // begun
	Handled bool // a run succeeded, or failed for good
	// Optional: it may never run, since a newer one of its burst may supersede it, or its
	// endpoint was deleted.
	Optional bool
	Detail   D

	sent         int // by the clock, before the first Put
	acknowledged int // by the clock; zero means not
}

// An event is the beginning or the end of a run.
type event[D any] struct {
	*Entry[D]
	begins bool
}

// NewBook returns an empty book.
func NewBook[D any]() Book[D] {
	return Book[D]{entries: make(map[string]*Entry[D]), runs: make(map[string][]event[D])}
}

// Send notes that a delivery is about to be sent, and returns its entry. Only the
// first time counts.
func (b *Book[D]) Send(id, key string) *Entry[D] {
	b.clock++
	e := b.entries[id]
	if e == nil {
		e = &Entry[D]{ID: id, Key: key, sent: b.clock}
		b.entries[id] = e
	}
	return e
}

// Entry returns the entry of what was sent under the id, or nil.
func (b *Book[D]) Entry(id string) *Entry[D] { return b.entries[id] }

// Entries returns all entries.
func (b *Book[D]) Entries() iter.Seq[*Entry[D]] { return maps.Values(b.entries) }

// Len is the number of entries.
func (b *Book[D]) Len() int { return len(b.entries) }

// Acknowledge notes that the sender of e has read that it is stored. It reports
// whether that is news.
func (b *Book[D]) Acknowledge(e *Entry[D]) bool {
	b.clock++
	if e.acknowledged > 0 {
		return false
	}
	e.acknowledged = b.clock
	return true
}

// Acknowledged reports whether the sender may forget the delivery.
func (e *Entry[D]) Acknowledged() bool { return e.acknowledged > 0 }

// Begin notes that a run of e begins.
func (b *Book[D]) Begin(e *Entry[D]) {
	b.clock++
	e.Runs++
	b.note(e, true)
}

// Handle notes that a run of e succeeded, or failed for good. Only the first time
// counts: a run that lost its claim may end later than the next one.
func (b *Book[D]) Handle(e *Entry[D]) {
	b.clock++
	if !e.Handled {
		e.Handled = true
		b.note(e, false)
	}
}

func (b *Book[D]) note(e *Entry[D], begins bool) {
	if e.Key != "" {
		b.runs[e.Key] = append(b.runs[e.Key], event[D]{e, begins})
	}
}

// Lost returns the ids of what was acknowledged and never handled, sorted.
func (b *Book[D]) Lost() (ids []string) {
	for id, e := range b.entries {
		if e.Acknowledged() && !e.Handled && !e.Optional {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// CheckOrder adds a fault for each run that began before a delivery of the same
// key was handled that had been acknowledged before the other was sent. Call it
// once, at the end.
func (b *Book[D]) CheckOrder() {
	first := make(map[string]*Entry[D]) // by key, the first acknowledged of those that come later
	later := func(e *Entry[D]) {
		if f := first[e.Key]; e.Acknowledged() && (f == nil || e.acknowledged < f.acknowledged) {
			first[e.Key] = e
		}
	}
	for _, id := range b.Lost() {
		later(b.entries[id]) // it never comes
	}
	for key, events := range b.runs {
		for _, ev := range slices.Backward(events) {
			if f := first[key]; ev.begins && f != nil && ev.sent > f.acknowledged {
				b.Faultf("%s ran before %s, which was acknowledged before it was sent", ev.ID, f.ID)
			}
			later(ev.Entry)
		}
	}
}

// Faultf adds a fault.
func (b *Book[D]) Faultf(format string, args ...any) {
	b.Faults = append(b.Faults, fmt.Sprintf(format, args...))
}

// First joins the first few texts, for a report.
func First(texts []string, separator string) string {
	const most = 10
	if len(texts) > most {
		return strings.Join(texts[:most], separator) + separator + "and more"
	}
	return strings.Join(texts, separator)
}
