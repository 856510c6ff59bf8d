package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// How long an inbox keeps what is finished, where it is not told.
const (
	defaultRetention     = 7 * 24 * time.Hour
	defaultDeadRetention = 90 * 24 * time.Hour
	// sweepMost and sweepBytes bound one Sweep.
	sweepMost  = 1000
	sweepBytes = 64 << 20
)

// memEnds are finished records in order of finishing.
type memEnds []*memRecord

// Sweep implements [Sweeper], by Retention and DeadRetention. Before it forgets
// dead deliveries it logs how many, and of which types.
func (m *MemInbox) Sweep(ctx context.Context) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, gone := m.sweep(time.Now())
	gone.warn(m.Logger, "dead deliveries are forgotten after DeadRetention")
	return n, nil
}

func (m *MemInbox) sweep(now time.Time) (n int, gone deadByType) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forgetMarks(now)
	before := m.bytes
	for _, kind := range []struct {
		ends      *memEnds
		retention time.Duration
	}{{&m.ended, m.retention()}, {&m.buried, m.deadRetention()}} {
		for kind.retention >= 0 && n < sweepMost && before-m.bytes < sweepBytes && kind.ends.endedBefore(now.Add(-kind.retention)) {
			gone.add(m.drop(kind.ends))
			n++
		}
	}
	return n, gone
}

// endedBefore reports whether the first ended before the time.
func (e memEnds) endedBefore(t time.Time) bool { return len(e) > 0 && e[0].ended.Before(t) }

// hasRoom fails if so many bytes and one record more do not fit, whatever of
// the finished ones is dropped.
func (m *MemInbox) hasRoom(bytes int64) error {
	if m.live >= m.maxDeliveries() || m.liveBytes+bytes > m.maxBytes() {
		return fmt.Errorf("%w: memory inbox holds %d unfinished deliveries of %d bytes", ErrOverloaded, m.live, m.liveBytes)
	}
	return nil
}

// makeRoom drops finished records, oldest first, until so many bytes and one
// record more fit. It returns which of them were dead.
func (m *MemInbox) makeRoom(bytes int64) (gone deadByType, err error) {
	if err := m.hasRoom(bytes); err != nil {
		return nil, err
	}
	for len(m.ended)+len(m.buried) > 0 && (len(m.all) >= m.maxDeliveries() || m.bytes+bytes > m.maxBytes()) {
		oldest := &m.ended
		if len(m.ended) == 0 || len(m.buried) > 0 && m.buried.endedBefore(m.ended[0].ended) {
			oldest = &m.buried
		}
		gone.add(m.drop(oldest))
	}
	return gone, nil
}

// drop forgets the record that finished first, and returns it.
func (m *MemInbox) drop(ends *memEnds) *memRecord {
	rec := (*ends)[0]
	(*ends)[0] = nil
	*ends = (*ends)[1:]
	delete(m.all, rec.d.UID)
	m.bytes -= int64(len(rec.d.Body))
	return rec
}

// deadByType counts dead deliveries that are dropped. Nil is none.
type deadByType map[string]int

// add counts rec if it is a dead one.
func (g *deadByType) add(rec *memRecord) {
	if rec.fate.state != Dead {
		return
	}
	if *g == nil {
		*g = make(deadByType)
	}
	(*g)[rec.d.Type]++
}

// warn logs what was counted, if anything.
func (g deadByType) warn(l *slog.Logger, message string) {
	if len(g) == 0 {
		return
	}
	total := 0
	for _, n := range g {
		total += n
	}
	logger(l).Warn(message, "count", total, "types", slices.Sorted(maps.Keys(g)))
}

func (m *MemInbox) retention() time.Duration { return orElse(m.Retention, defaultRetention) }
func (m *MemInbox) deadRetention() time.Duration {
	return orElse(m.DeadRetention, defaultDeadRetention)
}
func (m *MemInbox) maxBytes() int64    { return positive(m.MaxBytes, defaultMemBytes) }
func (m *MemInbox) maxDeliveries() int { return positive(m.MaxDeliveries, defaultMaxDeliveries) }

// orElse returns v, or what zero means.
func orElse(v, zero time.Duration) time.Duration {
	if v == 0 {
		return zero
	}
	return v
}
