package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// longestPace is the largest pause between two deliveries of ReplayEvery.
const longestPace = time.Hour

// Replay makes finished deliveries run again; see [Admin].
func (m *MemInbox) Replay(ctx context.Context, f Filter, n Note) (int, error) {
	return m.ReplayEvery(ctx, f, n, 0)
}

// ReplayEvery is Replay at a rate; see [Admin].
func (m *MemInbox) ReplayEvery(ctx context.Context, f Filter, n Note, every time.Duration) (int, error) {
	switch err := f.Validate(); {
	case err != nil:
		return 0, err
	case f.matchesAll():
		return 0, errors.New("webhook: a replay needs a Filter that does not select all")
	case every < 0 || every > longestPace:
		return 0, fmt.Errorf("webhook: a replay with every %v, which must be from 0 to %v", every, longestPace)
	}
	n, err := checkedNote(ctx, n, "a replay")
	if err != nil {
		return 0, err
	}
	done := 0
	for _, s := range m.finishedOldest(f) {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		if m.replay(s, n, time.Duration(done)*every) {
			done++
		}
	}
	if done > 0 || f.UID == "" {
		return done, ctx.Err()
	}
	r, err := m.Get(ctx, f.UID)
	switch {
	case err != nil:
		return 0, err
	case r.State.Final():
		return 0, fmt.Errorf("%w: %s coalesces and a younger one of its ordering key is unfinished", ErrState, f.UID)
	}
	return 0, fmt.Errorf("%w: %s is %s", ErrState, f.UID, r.State)
}

// finishedOldest returns the finished records that match f, oldest first: if it has
// a Limit, the newest that many.
func (m *MemInbox) finishedOldest(f Filter) (finished []memSeen) {
	for _, s := range m.newest(f) {
		if m.isFinished(s, f) {
			finished = append(finished, s)
		}
		if f.Limit > 0 && len(finished) == f.Limit {
			break
		}
	}
	slices.Reverse(finished)
	return finished
}

func (m *MemInbox) isFinished(s memSeen, f Filter) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.isCurrent(s) && s.last.state.Final() && f.matches(s.memRecord)
}

// replay makes one run again after a pause, and records it. It reports false if s has
// changed, or has a younger one.
func (m *MemInbox) replay(s memSeen, n Note, pause time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, was := time.Now(), s.last.state
	if !m.isCurrent(s) || !was.Final() || !m.restart(s.memRecord, true, now) {
		return false
	}
	s.due = s.due.Add(pause)
	if h := m.claimable[s.heapKey()]; s.last.state == Waiting {
		h.fix(s.memRecord)
	}
	m.history.add(&s.replays, Replay{Note: n, At: now, Was: was}, len(n.By)+len(n.Why))
	m.notify()
	return true
}

// Release makes a delivery due now; see [Admin].
func (m *MemInbox) Release(ctx context.Context, uid string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec := m.all[uid]
	if rec == nil {
		return fmt.Errorf("%w: %q", ErrNotFound, uid)
	}
	now := time.Now()
	switch {
	case rec.last.state == Waiting:
		m.makeDue(rec, now)
	case rec.last.state == Claimed:
		m.releaseClaim(rec, now)
	case rec.last.state == Blocked && rec.retryOutOfOrder:
		m.makeDue(rec, now)
		m.bringForward(rec)
	default:
		return fmt.Errorf("%w: %s is %s", ErrState, uid, rec.last.state)
	}
	m.notify()
	return nil
}

// ReleaseKey makes the next delivery of an ordering key due now; see [Admin].
func (m *MemInbox) ReleaseKey(ctx context.Context, source, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if key == "" {
		return errors.New("webhook: a release of an ordering key needs the key")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queues[memOrderingKey{source, key}]
	if q == nil {
		return fmt.Errorf("%w with ordering key %q of %s", ErrNotFound, key, source)
	}
	now, next := time.Now(), q.items[0]
	if next.last.state == Claimed {
		return fmt.Errorf("%w: the next delivery of ordering key %q of %s is claimed", ErrState, key, source)
	}
	if next.due.Before(now) {
		now = next.due
	}
	m.makeDue(next, now)
	m.notify()
	return nil
}

// makeDue makes an unfinished record live, and due now.
func (m *MemInbox) makeDue(rec *memRecord, now time.Time) {
	state := rec.last.state
	m.setState(rec, Blocked) // in no heap
	rec.due, rec.retryOutOfOrder, rec.replayed = now, false, false
	m.setState(rec, state)
}

// bringForward makes a Blocked record the next of its ordering key: at once, if the
// first of the key is not Claimed.
func (m *MemInbox) bringForward(rec *memRecord) {
	q := m.queues[rec.orderingKey()]
	first := q.items[0]
	q.remove(rec)
	if first.last.state == Claimed {
		q.items = slices.Insert(q.items, 1, rec)
		return
	}
	q.items = slices.Insert(q.items, 0, rec)
	m.setState(first, Blocked)
	m.setState(rec, Waiting)
}

// releaseClaim takes the claim of rec from its worker. It counts as lost: a
// delivery that ends the process each time stays suspect if it is released after
// each crash.
func (m *MemInbox) releaseClaim(rec *memRecord, now time.Time) {
	state := Waiting
	if m.hasNewer(rec) {
		state = Superseded
	}
	m.addLost(rec, state, now)
	rec.loseClaim()
	rec.fence++
	if state == Waiting {
		m.retry(rec, now, false, now)
		m.makeDue(rec, now)
	} else {
		m.finish(rec, state, now)
	}
}
