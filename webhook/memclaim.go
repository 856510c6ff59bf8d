package webhook

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Claim takes what is due; see [Inbox].
func (m *MemInbox) Claim(ctx context.Context, o ClaimOptions) ([]Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	m.ask(o.Types)
	now := time.Now()
	lease := positive(o.Lease, defaultLease)
	room := positive(o.MaxBytes, defaultClaimBytes)
	defer m.setAside(o.Except)()
	var claims []Claim
	for len(claims) < max(o.N, 1) {
		rec := m.oldestDue(o.Types, now)
		if rec == nil {
			break
		}
		if rec.fate.state == Claimed && m.outdated(rec) {
			m.finish(rec, Superseded, now)
			continue
		}
		if room -= rec.load(); room < 0 && len(claims) > 0 {
			break
		}
		rec.take(now.Add(lease))
		m.setState(rec, Claimed)
		claims = append(claims, rec.claim())
	}
	return claims, nil
}

// setAside takes deliveries out of what can be claimed, until the func that it
// returns is called.
func (m *MemInbox) setAside(uids []string) (back func()) {
	var aside []*memRecord
	for _, uid := range uids {
		rec := m.all[uid]
		if rec != nil && (rec.fate.state == Waiting || rec.fate.state == Claimed) && !slices.Contains(aside, rec) {
			m.due[rec.d.Type].remove(rec)
			aside = append(aside, rec)
		}
	}
	return func() {
		for _, rec := range aside {
			m.heapOf(rec).add(rec)
		}
	}
}

// Begin notes that a suspect's run begins; see [Inbox].
func (m *MemInbox) Begin(ctx context.Context, c Claim) (Claim, error) {
	if err := ctx.Err(); err != nil {
		return Claim{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, err := m.held(c)
	if err != nil {
		return Claim{}, err
	}
	rec.begin()
	begun := rec.claim()
	begun.Last = c.Last
	return begun, nil
}

// oldestDue returns the record of these types that may be claimed and was due
// first: a Waiting one, or a Claimed one whose lease ran out.
func (m *MemInbox) oldestDue(types []string, now time.Time) *memRecord {
	if types == nil {
		types = slices.Collect(maps.Keys(m.due))
	}
	var first *memRecord
	for _, t := range types {
		if h := m.due[t]; h != nil && len(h.items) > 0 {
			if rec := h.items[0]; !rec.due.After(now) && (first == nil || rec.before(first)) {
				first = rec
			}
		}
	}
	return first
}
