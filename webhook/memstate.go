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
	if rec.due.Before(rec.notBefore) {
		rec.due = rec.notBefore
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

// coalesce supersedes the older unclaimed records of the burst and sets when rec is
// due. The burst of one that has run already is over.
func (m *MemInbox) coalesce(rec *memRecord, now time.Time) {
	rec.burst = now
	if rec.d.OrderingKey != "" {
		for _, old := range m.unclaimedOf(rec.burstKey()) {
			if old.coalesces() && old.attempt == 0 && old.burst.Before(rec.burst) {
				rec.burst = old.burst
			}
			m.finish(old, Superseded, now)
		}
		m.bursts[rec.burstKey()] = rec
	}
	rec.due = now
	if quiet := rec.d.Coalesce.Quiet; quiet > newestOnlyQuiet {
		rec.due = now.Add(quiet)
	}
	if end := rec.burst.Add(rec.d.Coalesce.Max); rec.d.Coalesce.Max > 0 && end.Before(rec.due) {
		rec.due = end
	}
}

// unclaimedOf returns the unfinished records of a burst that are not claimed.
func (m *MemInbox) unclaimedOf(b memBurst) (unclaimed []*memRecord) {
	if q := m.queues[b.memOrderingKey]; q != nil {
		for _, rec := range q.items {
			if rec.d.Type == b.typ && rec.last.state != Claimed {
				unclaimed = append(unclaimed, rec)
			}
		}
	}
	return unclaimed
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

// hasNewer reports whether a newer one of its burst that coalesces has arrived since
// rec was claimed.
func (m *MemInbox) hasNewer(rec *memRecord) bool {
	newest := m.bursts[rec.burstKey()]
	return newest != nil && newest.seq > rec.seq
}

// hasYounger reports whether rec coalesces and a younger one of its ordering key and
// type is unfinished. If rec ran again it would supersede that one, which replaced it.
func (m *MemInbox) hasYounger(rec *memRecord) bool {
	q := m.queues[rec.orderingKey()]
	return rec.coalesces() && q != nil && slices.ContainsFunc(q.items, func(r *memRecord) bool {
		return r.firstSeq > rec.firstSeq && r.d.Type == rec.d.Type
	})
}

// retry makes a claimed record Waiting again, due at the given time.
func (m *MemInbox) retry(rec *memRecord, due time.Time, outOfOrder bool, now time.Time) {
	rec.due, rec.retryOutOfOrder = due, outOfOrder
	m.setState(rec, Waiting)
	m.promote(rec.orderingKey(), now)
}

// finish gives a record its final state and promotes the next of its ordering key.
func (m *MemInbox) finish(rec *memRecord, s State, now time.Time) {
	m.end(rec, s, now)
	if q := m.queues[rec.orderingKey()]; q != nil && rec.d.OrderingKey != "" {
		q.remove(rec)
		m.promote(rec.orderingKey(), now)
	}
}

// end gives a record its final state. It leaves it in the queue of its ordering key.
func (m *MemInbox) end(rec *memRecord, s State, now time.Time) {
	m.live--
	m.liveBytes -= int64(len(rec.d.Body))
	m.setState(rec, s)
	rec.finishedAt = now
	m.finishedAs(s).add(rec)
	if rec.d.OrderingKey != "" && m.bursts[rec.burstKey()] == rec {
		delete(m.bursts, rec.burstKey())
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
	rec.due, rec.retryOutOfOrder, rec.finishedAt, rec.notBefore = now, false, time.Time{}, time.Time{}
	rec.replayed = replayed
	m.seq++
	rec.seq = m.seq
	m.enqueue(rec, now)
	return true
}
