package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Replay makes finished deliveries run again; see [Admin].
func (m *MemInbox) Replay(ctx context.Context, f Filter, n Note) (int, error) {
	switch {
	case n.By == "":
		return 0, errors.New("webhook: a replay needs a Note with By")
	case f.matchesAll():
		return 0, errors.New("webhook: a replay needs a Filter that does not select all")
	}
	n = Note{By: clipReason(n.By), Why: clipReason(n.Why)}
	done := 0
	for _, s := range m.finishedOldest(f) {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		if m.replay(s, n) {
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

// replay makes one run again, and records it. It reports false if s has changed, or
// has a younger one.
func (m *MemInbox) replay(s memSeen, n Note) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, was := time.Now(), s.last.state
	if !m.isCurrent(s) || !was.Final() || !m.restart(s.memRecord, now) {
		return false
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
	switch rec.last.state {
	case Waiting:
		rec.due, rec.retryOutOfOrder = now, false
		m.claimable[rec.d.Type].fix(rec)
	case Claimed:
		m.releaseClaim(rec, now)
	default:
		return fmt.Errorf("%w: %s is %s", ErrState, uid, rec.last.state)
	}
	m.notify()
	return nil
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
	} else {
		m.finish(rec, state, now)
	}
}
