package webhook

import (
	"slices"
	"time"
)

// setState moves a record between the indexes of its states. Waiting and Claimed
// ones share one.
func (m *MemInbox) setState(rec *memRecord, s State) {
	h := m.claimable[rec.heapKey()]
	if old := rec.last.state; old == Waiting || old == Claimed {
		h.remove(rec)
	}
	rec.last.state = s
	if s == Waiting || s == Claimed {
		m.heapOf(rec).add(rec)
	} else if h != nil && len(h.items) == 0 {
		delete(m.claimable, rec.heapKey())
	}
}

// heapOf returns the heap for records like rec.
func (m *MemInbox) heapOf(rec *memRecord) *memHeap {
	h := m.claimable[rec.heapKey()]
	if h == nil {
		h = &memHeap{}
		m.claimable[rec.heapKey()] = h
	}
	return h
}

// enqueue appends a new or restarted record to those of its ordering key.
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
	q := m.queues[rec.orderingKey()]
	if q == nil {
		q = &memQueue{}
		m.queues[rec.orderingKey()] = q
	}
	q.items = append(q.items, rec)
	m.setState(rec, Blocked)
	m.promote(rec.orderingKey(), now)
}

// coalesce supersedes the older unclaimed records of the ordering key and sets
// when rec is due. One that has run already is not part of the burst.
func (m *MemInbox) coalesce(rec *memRecord, now time.Time) {
	rec.burst = now
	if q := m.queues[rec.orderingKey()]; q != nil && rec.d.OrderingKey != "" {
		for _, old := range slices.Clone(q.items) {
			if old.last.state == Claimed {
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

// promote makes the next record of an ordering key Waiting, unless one is
// claimed.
func (m *MemInbox) promote(k memOrderingKey, now time.Time) {
	q := m.queues[k]
	if q == nil {
		return
	}
	if len(q.items) == 0 {
		delete(m.queues, k)
		return
	}
	first := q.items[0]
	if first.last.state == Claimed {
		return
	}
	q.advance(now)
	if q.items[0] != first && first.last.state == Waiting {
		m.setState(first, Blocked)
	}
	if q.items[0].last.state == Blocked {
		m.setState(q.items[0], Waiting)
	}
}

// hasNewer reports whether a newer one of a coalesced burst has arrived since rec
// was claimed. That one is right behind rec: it superseded all between.
func (m *MemInbox) hasNewer(rec *memRecord) bool {
	if rec.d.OrderingKey == "" {
		return false
	}
	q := m.queues[rec.orderingKey()]
	return len(q.items) > 1 && q.items[1].coalesces() && q.items[1].seq > rec.seq
}

// hasYounger reports whether rec coalesces and a younger one of its ordering key
// is unfinished. If rec ran again it would supersede that one, which replaced it.
func (m *MemInbox) hasYounger(rec *memRecord) bool {
	q := m.queues[rec.orderingKey()]
	return rec.coalesces() && q != nil && slices.ContainsFunc(q.items, func(r *memRecord) bool { return r.firstSeq > rec.firstSeq })
}

// retry makes a claimed record Waiting again, due at the given time.
func (m *MemInbox) retry(rec *memRecord, due time.Time, outOfOrder bool, now time.Time) {
	rec.due, rec.retryOutOfOrder = due, outOfOrder
	m.setState(rec, Waiting)
	m.promote(rec.orderingKey(), now)
}

// finish gives a record its final state and promotes the next of its ordering key.
func (m *MemInbox) finish(rec *memRecord, s State, now time.Time) {
	m.live--
	m.liveBytes -= int64(len(rec.d.Body))
	m.setState(rec, s)
	rec.finishedAt = now
	m.finishedAs(s).add(rec)
	if q := m.queues[rec.orderingKey()]; q != nil && rec.d.OrderingKey != "" {
		q.remove(rec)
		m.promote(rec.orderingKey(), now)
	}
}

// restart makes a finished record run again, live or as a replay, as if it had just
// arrived. It leaves one as it is, and returns false, that has a younger one.
func (m *MemInbox) restart(rec *memRecord, replayed bool, now time.Time) bool {
	if m.hasYounger(rec) {
		return false
	}
	m.finishedAs(rec.last.state).remove(rec)
	rec.attempt, rec.lost, rec.crashes, rec.begun = 0, 0, 0, false
	rec.due, rec.retryOutOfOrder, rec.finishedAt = now, false, time.Time{}
	rec.replayed = replayed
	m.seq++
	rec.seq = m.seq
	m.enqueue(rec, now)
	return true
}
