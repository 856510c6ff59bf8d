package webhook

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// Claim claims deliveries that are due; see [Queue].
func (m *MemInbox) Claim(ctx context.Context, o ClaimOptions) ([]Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	m.noteAsked(o.Types)
	now := time.Now()
	claim := memClaim{by: clipName(o.By), at: now, expires: now.Add(positive(o.Lease, limit.Lease))}
	room := positive(o.MaxBytes, limit.ClaimBytes)
	defer m.exclude(o.Except)()
	var claims []Claim
	for len(claims) < max(o.N, 1) {
		rec := m.oldestDue(o.Types, now)
		if rec == nil {
			break
		}
		if rec.last.state == Claimed && m.hasNewer(rec) {
			m.addLost(rec, Superseded, now)
			m.finish(rec, Superseded, now)
			m.notify() // the next of its ordering key may be of a type that others claim
			continue
		}
		if room -= rec.claimBytes(); room < 0 && len(claims) > 0 {
			break
		}
		if rec.last.state == Claimed {
			m.addLost(rec, Waiting, now)
		}
		rec.startClaim(claim)
		m.setState(rec, Claimed)
		claims = append(claims, rec.claim())
	}
	return claims, nil
}

// exclude takes deliveries out of what can be claimed, until the func that it
// returns is called.
func (m *MemInbox) exclude(uids []string) (restore func()) {
	var excluded []*memRecord
	for _, uid := range uids {
		rec := m.all[uid]
		if rec != nil && (rec.last.state == Waiting || rec.last.state == Claimed) && !slices.Contains(excluded, rec) {
			m.claimable[rec.heapKey()].remove(rec)
			excluded = append(excluded, rec)
		}
	}
	return func() {
		for _, rec := range excluded {
			m.heapOf(rec).add(rec)
		}
	}
}

// Begin notes that a suspect's run begins; see [Queue].
func (m *MemInbox) Begin(ctx context.Context, c Claim) (Claim, error) {
	if err := ctx.Err(); err != nil {
		return Claim{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, err := m.claimHeld(c)
	if err != nil {
		return Claim{}, err
	}
	rec.beginRun()
	begun := rec.claim()
	begun.Last = c.Last
	return begun, nil
}

// Extend renews a lease; see [Queue].
func (m *MemInbox) Extend(ctx context.Context, c Claim, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, err := m.claimHeld(c)
	if err != nil {
		return err
	}
	before := rec.claimed.expires
	rec.claimed.expires = time.Now().Add(lease)
	m.claimable[rec.heapKey()].fix(rec)
	if rec.claimed.expires.Before(before) { // sooner than NextDue may have said
		m.notify()
	}
	return nil
}

// Settle ends a claim; see [Queue].
func (m *MemInbox) Settle(ctx context.Context, c Claim, o Outcome) (State, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if o.State != Waiting && o.State != Done && o.State != Dead && o.State != Ignored {
		return "", fmt.Errorf("webhook: %q is not an outcome", o.State)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, err := m.claimHeld(c)
	if err != nil {
		if rec != nil && rec.settled.fence == c.Fence && c.Fence != 0 {
			return rec.settled.state, nil
		}
		return "", err
	}
	now, state := time.Now(), o.State
	if o.State == Waiting && m.hasNewer(rec) {
		state = Superseded
	}
	m.addFailed(rec, o, state, now)
	rec.settle(o, state)
	if state == Waiting {
		m.retry(rec, now.Add(max(o.Delay, 0)), o.RetryOutOfOrder, now)
	} else {
		m.finish(rec, state, now)
	}
	m.notify()
	return state, nil
}

// oldestDue returns the record of these types that may be claimed and was due
// first: a Waiting one, or a Claimed one whose lease ran out. A replay is returned if
// there is no live one.
func (m *MemInbox) oldestDue(types []string, now time.Time) (first *memRecord) {
	m.eachHeap(types, func(h *memHeap) {
		if rec := h.items[0]; !rec.claimable().After(now) && (first == nil || rec.before(first)) {
			first = rec
		}
	})
	return first
}

// eachHeap calls visit with each heap of these types that has records and is not paused.
func (m *MemInbox) eachHeap(types []string, visit func(h *memHeap)) {
	consider := func(k memHeapKey) {
		if h := m.claimable[k]; h != nil && len(h.items) > 0 && !m.isPaused(k.typ) {
			visit(h)
		}
	}
	if types == nil {
		for k := range m.claimable {
			consider(k)
		}
	}
	for _, t := range types {
		consider(memHeapKey{t, false})
		consider(memHeapKey{t, true})
	}
}

// NextDue implements [NextDuer].
func (m *MemInbox) NextDue(ctx context.Context, o ClaimOptions) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.exclude(o.Except)()
	now, wait := time.Now(), time.Duration(math.MaxInt64)
	m.eachHeap(o.Types, func(h *memHeap) {
		wait = min(wait, h.items[0].claimable().Sub(now))
	})
	return wait, nil
}

// claimHeld returns the record of c if that is still held. With the error it
// returns the record that c was a claim of, if there is one.
func (m *MemInbox) claimHeld(c Claim) (*memRecord, error) {
	if c.Delivery == nil {
		return nil, ErrClaimLost
	}
	rec := m.all[c.Delivery.UID]
	if rec == nil || rec.last.state != Claimed || rec.fence != c.Fence {
		return rec, fmt.Errorf("%w: %s", ErrClaimLost, c.Delivery.UID)
	}
	return rec, nil
}
