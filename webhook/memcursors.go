package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// maxCursors is how many cursors a MemInbox keeps.
const maxCursors = 10_000

// Cursor returns the value of a cursor; see [Cursors].
func (m *MemInbox) Cursor(ctx context.Context, name string) (string, error) {
	if err := checkCursor(ctx, name); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursors[name], nil
}

// SetCursor changes the value of a cursor; see [Cursors]. More than 10 000 cursors are
// [ErrOverloaded].
func (m *MemInbox) SetCursor(ctx context.Context, name, from, to string) error {
	if err := checkCursor(ctx, name, from, to); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch now := m.cursors[name]; {
	case now == to:
		return nil
	case now != from:
		return fmt.Errorf("%w: %q is %q, not %q", ErrCursorMoved, name, now, from)
	case to == "":
		delete(m.cursors, name)
		return nil
	case now == "" && len(m.cursors) >= maxCursors:
		return fmt.Errorf("%w: cursor %q: the memory inbox has %d cursors", ErrOverloaded, name, maxCursors)
	}
	if m.cursors == nil {
		m.cursors = make(map[string]string)
	}
	m.cursors[name] = to
	return nil
}

// checkCursor refuses a name and values that not every database stores.
func checkCursor(ctx context.Context, name string, values ...string) error {
	if err := limit.Cursor(name, values...); err != nil {
		return Permanent(fmt.Errorf("webhook: %w", err))
	}
	return ctx.Err()
}

// Known reports which dedup keys are known; see [Knower].
func (m *MemInbox) Known(ctx context.Context, source string, keys []string) ([]bool, error) {
	if err := limit.Keys(len(keys)); err != nil {
		return nil, Permanent(fmt.Errorf("webhook: %w", err))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deleteOldKeys(time.Now())
	known := make([]bool, len(keys))
	for i, key := range keys {
		known[i] = m.dedupKeys[memDedupKey{source, key}] != nil
	}
	return known, nil
}
