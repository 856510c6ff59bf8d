package webhook

import (
	"slices"
	"time"
)

// setState moves a record between the indexes of its states. Waiting and
// Claimed ones share one: both are claimed from their due time on.
func (m *MemInbox) setState(rec *memRecord, s State) {
	h := m.due[rec.d.Type]
	if old := rec.fate.state; old == Waiting || old == Claimed {
		h.remove(rec)
	}
	rec.fate.state = s
	if s == Waiting || s == Claimed {
		m.heapOf(rec).add(rec)
	} else if h != nil && len(h.items) == 0 {
		delete(m.due, rec.d.Type)
	}
}

// heapOf returns the heap for records of rec's type.
func (m *MemInbox) heapOf(rec *memRecord) *memHeap {
	h := m.due[rec.d.Type]
	if h == nil {
		h = &memHeap{}
		m.due[rec.d.Type] = h
	}
	return h
}

// enqueue gives a new or revived record its place behind those of its ordering
// key.
func (m *MemInbox) enqueue(rec *memRecord, now time.Time) {
	m.live++
	m.liveBytes += int64(len(rec.d.Body))
	if rec.coalesces() {
		m.coalesce(rec, now)
	}
	if rec.d.OrderingKey == "" {
		m.setState(rec, Waiting)
		return
	}
	q := m.keys[rec.key()]
	if q == nil {
		q = &memQueue{}
		m.keys[rec.key()] = q
	}
	q.items = append(q.items, rec)
	m.setState(rec, Blocked)
	m.promote(rec.key(), now)
}

// coalesce supersedes the older unclaimed records of the ordering key and sets
// when rec is due. One that has run already is no part of the burst.
func (m *MemInbox) coalesce(rec *memRecord, now time.Time) {
	rec.burst = now
	if q := m.keys[rec.key()]; q != nil && rec.d.OrderingKey != "" {
		for _, old := range append([]*memRecord(nil), q.items...) {
			if old.fate.state == Claimed {
				continue
			}
			if old.coalesces() && old.attempt == 0 && old.burst.Before(rec.burst) {
				rec.burst = old.burst
			}
			m.finish(old, Superseded, now)
		}
	}
	rec.due = now.Add(rec.d.Coalesce.Quiet)
	if end := rec.burst.Add(rec.d.Coalesce.Max); rec.d.Coalesce.Max > 0 && end.Before(rec.due) {
		rec.due = end
	}
}

// promote makes the first record of an ordering key Waiting, if none is
// claimed.
func (m *MemInbox) promote(k memKey, now time.Time) {
	q := m.keys[k]
	if q == nil {
		return
	}
	if len(q.items) == 0 {
		delete(m.keys, k)
		return
	}
	first := q.items[0]
	if first.fate.state == Claimed {
		return
	}
	q.advance(now)
	if q.items[0] != first && first.fate.state == Waiting {
		m.setState(first, Blocked)
	}
	if q.items[0].fate.state == Blocked {
		m.setState(q.items[0], Waiting)
	}
}

// outdated reports whether a newer one of a coalesced burst has arrived since
// rec was claimed. It stands right behind rec: it superseded all between.
func (m *MemInbox) outdated(rec *memRecord) bool {
	if rec.d.OrderingKey == "" {
		return false
	}
	q := m.keys[rec.key()]
	return len(q.items) > 1 && q.items[1].coalesces() && q.items[1].seq > rec.seq
}

// finish gives a record its final state and brings the next of its ordering key
// forward.
func (m *MemInbox) finish(rec *memRecord, s State, now time.Time) {
	m.live--
	m.liveBytes -= int64(len(rec.d.Body))
	m.setState(rec, s)
	rec.ended = now
	if s == Dead {
		m.buried = append(m.buried, rec)
	} else {
		m.ended = append(m.ended, rec)
	}
	if q := m.keys[rec.key()]; q != nil && rec.d.OrderingKey != "" {
		q.remove(rec)
		m.promote(rec.key(), now)
	}
}

// known returns the fate of the delivery that d repeats.
func (m *MemInbox) known(d *Delivery, now time.Time) *memFate {
	m.forgetMarks(now)
	if rec := m.all[d.UID]; rec != nil {
		return rec.fate
	}
	for _, mark := range d.DedupKeys {
		if f := m.marks[memMark{d.Source, mark}]; f != nil && !(m.all[f.uid] == nil && f.redeliveredBy(d)) {
			return f
		}
	}
	return nil
}

// redeliveredBy reports whether d is the sender's own redelivery of one that died.
func (f *memFate) redeliveredBy(d *Delivery) bool {
	return f.state == Dead && d.UID != f.uid && d.ID != "" && d.ID == f.senderID
}

// duplicate says what d is a duplicate of, after it has revived that one if it
// may.
func (m *MemInbox) duplicate(f *memFate, d *Delivery, now time.Time) error {
	e := &DuplicateError{UID: f.uid, State: f.state}
	rec := m.all[f.uid]
	if f.redeliveredBy(d) && rec.revived < maxRevivals && !m.overtaken(rec) {
		rec.revived++
		m.buried = slices.DeleteFunc(m.buried, func(r *memRecord) bool { return r == rec })
		rec.attempt, rec.lost, rec.crashes, rec.begun = 0, 0, 0, false
		rec.due, rec.retryOutOfOrder = now, false
		m.seq++
		rec.seq = m.seq
		m.enqueue(rec, now)
		m.notify()
		e.State, e.Revived = f.state, true
	}
	return e
}

// overtaken reports whether rec coalesces and a younger one of its ordering key
// is unfinished, which would be superseded by what it supersedes.
func (m *MemInbox) overtaken(rec *memRecord) bool {
	q := m.keys[rec.key()]
	return rec.coalesces() && q != nil && slices.ContainsFunc(q.items, func(r *memRecord) bool { return r.origin > rec.origin })
}

func (m *MemInbox) mark(rec *memRecord, now time.Time) {
	for _, text := range rec.d.DedupKeys {
		mark := memMark{rec.d.Source, text}
		m.marks[mark] = rec.fate
		m.markLog = append(m.markLog, memMarked{mark, rec.fate, now})
	}
}

// forgetMarks drops dedup keys that are older than the window or too many.
func (m *MemInbox) forgetMarks(now time.Time) {
	window := m.Window
	if window <= 0 {
		window = defaultWindow
	}
	for len(m.markLog) > 0 && (now.Sub(m.markLog[0].at) > window || len(m.markLog) > marksPerDelivery*m.maxDeliveries()) {
		if old := m.markLog[0]; m.marks[old.mark] == old.fate {
			delete(m.marks, old.mark)
		}
		m.markLog = m.markLog[1:]
	}
}
