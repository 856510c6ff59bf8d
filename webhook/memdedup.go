package webhook

import (
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

type (
	// A memDedupKey is a dedup key with its Source.
	memDedupKey struct{ source, key string }
	// A memSeenKey is when a dedup key was stored, and for which delivery.
	memSeenKey struct {
		key    memDedupKey
		last   *memLastState
		seenAt time.Time
	}
)

// duplicateOf returns the delivery that d is a duplicate of, nil if there is none.
func (m *MemInbox) duplicateOf(d *Delivery, now time.Time) *memLastState {
	m.deleteOldKeys(now)
	if rec := m.all[d.UID]; rec != nil {
		return rec.last
	}
	for _, key := range d.DedupKeys {
		if s := m.dedupKeys[memDedupKey{d.Source, key}]; s != nil && !(m.recordOf(s) == nil && s.isRedeliveredBy(d)) {
			return s
		}
	}
	return nil
}

// recordOf returns the record that s is the state of, nil if it was deleted. Another one
// may have its UID since.
func (m *MemInbox) recordOf(s *memLastState) *memRecord {
	if rec := m.all[s.uid]; rec != nil && rec.last == s {
		return rec
	}
	return nil
}

// isRedeliveredBy reports whether d is the sender's own redelivery of one that is
// dead.
func (s *memLastState) isRedeliveredBy(d *Delivery) bool {
	return s.state == Dead && d.UID != s.uid && d.ID != "" && d.ID == s.senderID
}

// duplicate returns the error for d, a duplicate of s, after it has revived that
// one if it may.
func (m *MemInbox) duplicate(s *memLastState, d *Delivery, now time.Time) error {
	e := &DuplicateError{UID: s.uid, State: s.state}
	rec := m.recordOf(s)
	if s.isRedeliveredBy(d) && rec.revived < limit.Revivals && m.restart(rec, false, now) {
		rec.revived++
		m.notify()
		e.State, e.Revived = s.state, true
	}
	return e
}

// rememberKeys stores the dedup keys of rec.
func (m *MemInbox) rememberKeys(rec *memRecord, now time.Time) {
	for _, text := range rec.d.DedupKeys {
		key := memDedupKey{rec.d.Source, text}
		m.dedupKeys[key] = rec.last
		m.seenKeys = append(m.seenKeys, memSeenKey{key, rec.last, now})
	}
}

// deleteOldKeys deletes dedup keys that are older than the window, and the oldest
// if there are too many.
func (m *MemInbox) deleteOldKeys(now time.Time) {
	window := m.DedupWindow()
	for len(m.seenKeys) > 0 && (now.Sub(m.seenKeys[0].seenAt) > window || len(m.seenKeys) > keysPerDelivery*m.maxDeliveries()) {
		if old := m.seenKeys[0]; m.dedupKeys[old.key] == old.last {
			delete(m.dedupKeys, old.key)
		}
		m.seenKeys = m.seenKeys[1:]
	}
}
