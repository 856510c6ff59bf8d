package webhook

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// sweepMost and sweepBytes bound one Sweep.
const (
	sweepMost  = 1000
	sweepBytes = 64 << 20
)

// memFinished are finished records in order of finishing. The zero value is ready.
type memFinished struct{ list list.List }

func (f *memFinished) add(rec *memRecord)    { rec.finished = f.list.PushBack(rec) }
func (f *memFinished) remove(rec *memRecord) { f.list.Remove(rec.finished); rec.finished = nil }
func (f *memFinished) len() int              { return f.list.Len() }

// first returns the record that finished first, nil if there is none.
func (f *memFinished) first() *memRecord {
	if e := f.list.Front(); e != nil {
		return e.Value.(*memRecord)
	}
	return nil
}

// hasBefore reports whether the first record finished before t.
func (f *memFinished) hasBefore(t time.Time) bool {
	first := f.first()
	return first != nil && first.finishedAt.Before(t)
}

// finishedAs returns the list that holds the records of a final state.
func (m *MemInbox) finishedAs(s State) *memFinished {
	if s == Dead {
		return &m.dead
	}
	return &m.finished
}

// Sweep implements [Sweeper], by Retention and DeadRetention. It logs how many dead
// deliveries it deletes, and of which types.
func (m *MemInbox) Sweep(ctx context.Context) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, deleted := m.sweep(time.Now())
	deleted.warn(m.Logger, "dead deliveries are deleted after DeadRetention")
	return n, nil
}

func (m *MemInbox) sweep(now time.Time) (n int, deleted deadByType) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deleteOldKeys(now)
	before := m.bytes
	for _, kind := range []struct {
		finished  *memFinished
		retention time.Duration
	}{{&m.finished, m.retention()}, {&m.dead, m.deadRetention()}} {
		for kind.retention >= 0 && n < sweepMost && before-m.bytes < sweepBytes && kind.finished.hasBefore(now.Add(-kind.retention)) {
			deleted.add(m.deleteFirst(kind.finished))
			n++
		}
	}
	return n, deleted
}

// hasRoom returns an error if a record whose body has that size would not fit even after
// all finished records are deleted.
func (m *MemInbox) hasRoom(bytes int64) error {
	if m.live >= m.maxDeliveries() || m.liveBytes+bytes > m.maxBytes() {
		return fmt.Errorf("%w: memory inbox holds %d unfinished deliveries of %d bytes", ErrOverloaded, m.live, m.liveBytes)
	}
	return nil
}

// makeRoom deletes finished records, the first finished first, until a record whose body
// has that size fits. It returns which of them were dead.
func (m *MemInbox) makeRoom(bytes int64) (deleted deadByType, err error) {
	if err := m.hasRoom(bytes); err != nil {
		return nil, err
	}
	for m.finished.len()+m.dead.len() > 0 && (len(m.all) >= m.maxDeliveries() || m.bytes+bytes > m.maxBytes()) {
		oldest := &m.finished
		if first := oldest.first(); first == nil || m.dead.hasBefore(first.finishedAt) {
			oldest = &m.dead
		}
		deleted.add(m.deleteFirst(oldest))
	}
	return deleted, nil
}

// deleteFirst deletes the record that finished first, and returns it.
func (m *MemInbox) deleteFirst(finished *memFinished) *memRecord {
	rec := finished.first()
	m.delete(rec)
	return rec
}

// delete deletes a finished record. Its dedup keys keep its last state.
func (m *MemInbox) delete(rec *memRecord) {
	m.finishedAs(rec.last.state).remove(rec)
	delete(m.all, rec.d.UID)
	m.bytes -= int64(len(rec.d.Body))
	m.history.remove(&rec.attempts)
	m.history.remove(&rec.replays)
}

// deadByType counts dead deliveries that were deleted. Nil is none.
type deadByType map[string]int

// add counts rec if it is dead.
func (c *deadByType) add(rec *memRecord) {
	if rec.last.state != Dead {
		return
	}
	if *c == nil {
		*c = make(deadByType)
	}
	(*c)[rec.d.Type]++
}

// warn logs the counts, if there are any.
func (c deadByType) warn(l *slog.Logger, message string) {
	if len(c) == 0 {
		return
	}
	total := 0
	for _, n := range c {
		total += n
	}
	logger(l).Warn(message, "count", total, "types", slices.Sorted(maps.Keys(c)))
}

// Kept returns how long deliveries are kept after they are finished, and how long dead ones
// are: Retention and DeadRetention, or what zero means. A negative time means that they are
// never deleted.
func (m *MemInbox) Kept() (finished, dead time.Duration) { return m.retention(), m.deadRetention() }

func (m *MemInbox) retention() time.Duration { return orElse(m.Retention, limit.Retention) }
func (m *MemInbox) deadRetention() time.Duration {
	return orElse(m.DeadRetention, limit.DeadRetention)
}
func (m *MemInbox) maxBytes() int64    { return positive(m.MaxBytes, defaultMemBytes) }
func (m *MemInbox) maxDeliveries() int { return positive(m.MaxDeliveries, defaultMaxDeliveries) }

// orElse returns v, or if that is zero the given default.
func orElse(v, zero time.Duration) time.Duration {
	if v == 0 {
		return zero
	}
	return v
}
