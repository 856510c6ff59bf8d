package webhook

import (
	"context"
	"slices"
	"time"
)

// unhandledAfter is how long a delivery is due before its type counts as one that
// nobody takes.
const unhandledAfter = time.Minute

// Ping fails when Put would fail for want of room.
func (m *MemInbox) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hasRoom(0)
}

// Stats counts the deliveries kept by state.
func (m *MemInbox) Stats() map[State]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := make(map[State]int)
	for _, rec := range m.all {
		counts[rec.fate.state]++
	}
	return counts
}

// Unhandled returns, sorted, the types of deliveries that have been due for a
// minute, or whose lease ran out a minute ago, and that no Claim asked for.
func (m *MemInbox) Unhandled(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.askedAny {
		return nil, nil
	}
	since := time.Now().Add(-unhandledAfter)
	var types []string
	for typ, h := range m.due {
		if !m.asked[typ] && len(h.items) > 0 && !h.items[0].due.After(since) {
			types = append(types, typ)
		}
	}
	slices.Sort(types)
	return types, nil
}

// ask notes which types a Claim asks for.
func (m *MemInbox) ask(types []string) {
	m.askedAny = m.askedAny || types == nil
	for _, typ := range types {
		m.asked[typ] = true
	}
}

// Pending implements [PendingCounter].
func (m *MemInbox) Pending(ctx context.Context, most int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, h := range m.due {
		n += len(h.items)
	}
	for _, q := range m.keys { // the first of each is counted
		if n >= most {
			break
		}
		n += len(q.items) - 1
	}
	return min(n, most), nil
}
