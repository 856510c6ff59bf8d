package webhook

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// unhandledAfter is how long a delivery could have been claimed before its type
// counts as unhandled.
const unhandledAfter = time.Minute

// Ping fails when Put would fail because there is no room.
func (m *MemInbox) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hasRoom(0)
}

// Stats counts what is stored; see [Admin].
func (m *MemInbox) Stats(ctx context.Context) (Stats, error) {
	st := Stats{
		Count: make(map[State]int),
		Types: make(map[string]map[State]int),
	}
	if err := ctx.Err(); err != nil {
		return st, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, rec := range m.all {
		typ, state := rec.d.Type, rec.last.state
		if st.Types[typ] == nil {
			st.Types[typ] = make(map[State]int)
		}
		st.Types[typ][state]++
		st.Count[state]++
	}
	now := time.Now()
	st.Oldest = m.oldest(now)
	st.Unhandled = m.unhandled(now)
	st.Paused = m.paused()
	return st, nil
}

// Overview is Stats with a limit; see [Admin].
func (m *MemInbox) Overview(ctx context.Context, limit int) (Overview, error) {
	o := Overview{Count: make(map[State]Count)}
	if limit < 1 {
		return o, fmt.Errorf("webhook: the limit of an Overview is %d; it must be positive", limit)
	}
	if err := ctx.Err(); err != nil {
		return o, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, rec := range m.all {
		c := o.Count[rec.last.state]
		if c.N < limit {
			c.N++
		} else {
			c.More = true
		}
		o.Count[rec.last.state] = c
	}
	now := time.Now()
	o.Oldest = m.oldest(now)
	o.Unhandled = m.unhandled(now)
	o.Paused = m.paused()
	for i := range o.Paused {
		o.Paused[i].Blocked = 0
	}
	return o, nil
}

// Unhandled returns, sorted, the types with deliveries that could have been claimed
// for a minute and that no Claim asked for.
func (m *MemInbox) Unhandled(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.unhandled(time.Now()), nil
}

func (m *MemInbox) unhandled(now time.Time) (types []string) {
	if m.askedAny {
		return nil
	}
	for typ, age := range m.oldest(now) {
		if !m.asked[typ] && age >= unhandledAfter {
			types = append(types, typ)
		}
	}
	slices.Sort(types)
	return types
}

// oldest returns, by type, the longest time for which a record could have been
// claimed.
func (m *MemInbox) oldest(now time.Time) map[string]time.Duration {
	oldest := make(map[string]time.Duration)
	for k, h := range m.claimable {
		if len(h.items) > 0 && !h.items[0].claimable().After(now) {
			oldest[k.typ] = max(oldest[k.typ], now.Sub(h.items[0].claimable()))
		}
	}
	return oldest
}

// noteAsked remembers which types a Claim asks for.
func (m *MemInbox) noteAsked(types []string) {
	m.askedAny = m.askedAny || types == nil
	for _, typ := range types {
		m.asked[typ] = true
	}
}

// Pending implements [PendingCounter].
func (m *MemInbox) Pending(ctx context.Context, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, h := range m.claimable {
		n += len(h.items)
	}
	for _, q := range m.queues { // the first of each is counted
		if n >= limit {
			break
		}
		n += len(q.items) - 1
	}
	return min(n, limit), nil
}
