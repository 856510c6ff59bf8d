package webhook

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// All returns the deliveries that match f; see [Admin].
func (m *MemInbox) All(ctx context.Context, f Filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := f.Validate(); err != nil {
			yield(Record{}, err)
			return
		}
		n := 0
		for _, s := range m.newest(f) {
			if err := ctx.Err(); err != nil {
				yield(Record{}, err)
				return
			}
			r, ok := m.read(s, f)
			if !ok {
				continue
			}
			if n++; !yield(r, nil) || n == f.Limit {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Record{}, err)
		}
	}
}

// A memSeen is a record with the seq that it had.
type memSeen struct {
	*memRecord
	seq int64
}

// newest returns the records that may match f, newest first.
func (m *MemInbox) newest(f Filter) (seen []memSeen) {
	m.mu.Lock()
	for rec := range m.candidates(f) {
		if (f.Before <= 0 || rec.seq < f.Before) && rec.seq > f.After {
			seen = append(seen, memSeen{rec, rec.seq})
		}
	}
	m.mu.Unlock()
	slices.SortFunc(seen, func(a, b memSeen) int { return cmp.Compare(b.seq, a.seq) })
	return seen
}

// candidates yields all records, or the one with the UID of f.
func (m *MemInbox) candidates(f Filter) iter.Seq[*memRecord] {
	if f.UID == "" {
		return maps.Values(m.all)
	}
	return func(yield func(*memRecord) bool) {
		if rec := m.all[f.UID]; rec != nil {
			yield(rec)
		}
	}
}

// read returns what is stored of s now. It reports false if that does not match f,
// was deleted, or has another seq, with which it would be out of order.
func (m *MemInbox) read(s memSeen, f Filter) (Record, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.isCurrent(s) || !f.matches(s.memRecord) {
		return Record{}, false
	}
	r := s.record()
	switch {
	case f.Bodies:
		r.Delivery = copyDelivery(s.d)
	default:
		r.Delivery = copyWithoutContents(s.d)
		if f.Unsigned {
			r.Delivery.Unsigned = s.d.Unsigned
		}
	}
	return r, true
}

func (m *MemInbox) isCurrent(s memSeen) bool {
	return m.all[s.d.UID] == s.memRecord && s.memRecord.seq == s.seq
}

// Get returns one delivery; see [Admin].
func (m *MemInbox) Get(ctx context.Context, uid string) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec := m.all[uid]
	if rec == nil {
		return Record{}, fmt.Errorf("%w: %q", ErrNotFound, uid)
	}
	r := rec.record()
	r.Delivery = copyDelivery(rec.d)
	r.Replays, r.Attempts = valuesOf[Replay](rec.replays), valuesOf[Attempt](rec.attempts)
	return r, nil
}

// record returns the Record without its Delivery.
func (r *memRecord) record() Record {
	var expires time.Time
	if r.last.state == Claimed {
		expires = r.claimed.expires
	}
	return Record{
		Seq:      r.seq,
		State:    r.last.state,
		Attempt:  r.attempt,
		Fence:    r.fence,
		Due:      r.due,
		Expires:  expires,
		Ended:    r.finishedAt,
		Reason:   r.reason,
		Revived:  r.revived,
		Replayed: r.replayed,
		Size:     int64(len(r.d.Body)),
	}
}
