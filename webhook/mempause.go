package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Pause stops the claiming of deliveries of a type, or of all; see [Admin].
func (m *MemInbox) Pause(ctx context.Context, typ string, n Note) error {
	n, err := checkedNote(ctx, n, "a pause")
	if err != nil {
		return err
	}
	if p, ok := m.addPause(Pause{Type: typ, Note: n, At: time.Now()}); !ok {
		return fmt.Errorf("%w: there is a pause of %s already, by %s", ErrState, typeName(typ), p.By)
	}
	logger(m.Logger).Info("deliveries are not claimed any more: paused", "type", loggedType(typ), "by", n.By, "why", n.Why)
	return nil
}

// addPause reports whether it has added p. If not, it returns the one that is in force.
func (m *MemInbox) addPause(p Pause) (Pause, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init()
	if old, ok := m.pauses[p.Type]; ok {
		return old, false
	}
	m.pauses[p.Type] = p
	return p, true
}

// Resume ends a Pause; see [Admin].
func (m *MemInbox) Resume(ctx context.Context, typ string, n Note) error {
	n, err := checkedNote(ctx, n, "a resumption")
	if err != nil {
		return err
	}
	p, ok := m.removePause(typ)
	if !ok {
		return fmt.Errorf("%w: there is no pause of %s", ErrState, typeName(typ))
	}
	logger(m.Logger).Info("deliveries are claimed again: resumed", "type", loggedType(typ), "by", n.By, "why", n.Why, "paused_by", p.By, "paused_at", p.At)
	return nil
}

// removePause returns the pause that was in force, if there was one.
func (m *MemInbox) removePause(typ string) (p Pause, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok = m.pauses[typ]; ok {
		delete(m.pauses, typ)
		m.notify()
	}
	return p, ok
}

// typeName names a type of deliveries, or all of them, in a message.
func typeName(typ string) string {
	if typ == "" {
		return "all types"
	}
	return fmt.Sprintf("type %q", typ)
}

// loggedType is the attribute that names a type of deliveries, or all of them, in the log.
func loggedType(typ string) string { return cmp.Or(typ, "all") }

// checkedNote returns n as it is kept. It fails if n has no By, or ctx has ended.
func checkedNote(ctx context.Context, n Note, what string) (Note, error) {
	if n.By == "" {
		return n, errors.New("webhook: " + what + " needs a Note with By")
	}
	return Note{By: clipReason(n.By), Why: clipReason(n.Why)}, ctx.Err()
}

// isPaused reports whether deliveries of the type are not to be claimed.
func (m *MemInbox) isPaused(typ string) bool {
	if len(m.pauses) == 0 {
		return false
	}
	_, one := m.pauses[typ]
	_, all := m.pauses[""]
	return one || all
}

// paused returns the pauses in force, sorted by type, with what they hold back.
func (m *MemInbox) paused() (list []Pause) {
	if len(m.pauses) == 0 {
		return nil
	}
	blocked, all := make(map[string]int), 0 // by the type of the first of the ordering key
	for _, q := range m.queues {
		blocked[q.items[0].d.Type] += len(q.items) - 1
		all += len(q.items) - 1
	}
	for _, typ := range slices.Sorted(maps.Keys(m.pauses)) {
		p := m.pauses[typ]
		if p.Blocked = blocked[typ]; typ == "" {
			p.Blocked = all
		}
		list = append(list, p)
	}
	return list
}
