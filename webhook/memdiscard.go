package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Bury gives up a delivery that is not claimed; see [Admin].
func (m *MemInbox) Bury(ctx context.Context, uid string, n Note) error {
	n, err := checkedNote(ctx, n, "a burial")
	if err != nil {
		return err
	}
	d, err := m.bury(uid, n)
	if err == nil {
		logger(m.Logger).Warn("delivery is dead: buried", "delivery", d, "by", n.By, "why", n.Why)
	}
	return err
}

// bury ends one that is not claimed, and returns its delivery.
func (m *MemInbox) bury(uid string, n Note) (*Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec := m.all[uid]
	if rec == nil {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, uid)
	}
	if s := rec.last.state; s != Waiting && s != Blocked {
		return nil, fmt.Errorf("%w: %s is %s", ErrState, uid, s)
	}
	rec.giveUp(endedBy("buried", n))
	m.finish(rec, Dead, time.Now())
	m.notify()
	return rec.d, nil
}

// giveUp sets the reason of a record that ends without a claim. A claim that was settled
// before is still known.
func (r *memRecord) giveUp(reason string) {
	r.reason = reason
	r.lost, r.crashes, r.begun = 0, 0, false
}

// endedBy returns the reason of a delivery that was buried or given up.
func endedBy(how string, n Note) string {
	text := how + " by " + n.By
	if n.Why != "" {
		text += ": " + n.Why
	}
	return clipReason(text)
}

// Discard deletes finished deliveries; see [Admin].
func (m *MemInbox) Discard(ctx context.Context, f Filter, n Note) (int, error) {
	switch err := f.Validate(); {
	case err != nil:
		return 0, err
	case f.matchesAll():
		return 0, errors.New("webhook: a discard needs a Filter that does not select all")
	}
	n, err := checkedNote(ctx, n, "a discard")
	if err != nil {
		return 0, err
	}
	done, types := 0, make(map[string]int)
	for _, s := range m.finishedOldest(f) {
		if err = ctx.Err(); err != nil {
			break
		}
		if m.discard(s) {
			types[s.d.Type]++
			done++
		}
	}
	if done > 0 {
		logger(m.Logger).Warn("finished deliveries are deleted: discarded",
			"count", done, "types", types, "by", n.By, "why", n.Why)
	}
	if err != nil || done > 0 || f.UID == "" {
		return done, err
	}
	return 0, m.notFinished(ctx, f.UID)
}

// discard deletes one. It reports false if s has changed.
func (m *MemInbox) discard(s memSeen) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.isCurrent(s) || !s.last.state.Final() {
		return false
	}
	m.delete(s.memRecord)
	return true
}

// notFinished returns why the finished deliveries lack that with the UID.
func (m *MemInbox) notFinished(ctx context.Context, uid string) error {
	r, err := m.Get(ctx, uid)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s is %s", ErrState, uid, r.State)
}
