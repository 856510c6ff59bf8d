package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// GiveUp ends unfinished deliveries that are not claimed; see [Admin].
func (m *MemInbox) GiveUp(ctx context.Context, f Filter, as State, n Note) (int, error) {
	switch err := f.Validate(); {
	case err != nil:
		return 0, err
	case f.matchesAll():
		return 0, errors.New("webhook: to give up needs a Filter that does not select all")
	case as != Dead && as != Ignored:
		return 0, fmt.Errorf("webhook: to give up needs the state %s or %s, not %q", Dead, Ignored, as)
	}
	n, err := checkedNote(ctx, n, "to give up")
	if err != nil {
		return 0, err
	}
	g := &memGiveUp{m: m, f: f, as: as, reason: endedBy("given up", n), types: make(map[string]int)}
	for _, s := range m.newest(f) {
		if err = ctx.Err(); err != nil || g.isFull() {
			break
		}
		g.run(s)
	}
	if g.done > 0 {
		logger(m.Logger).Warn("unfinished deliveries are given up",
			"count", g.done, "state", as, "types", g.types, "by", n.By, "why", n.Why)
	}
	if err != nil || g.done > 0 || f.UID == "" {
		return g.done, err
	}
	return 0, m.notFinished(ctx, f.UID)
}

// A memGiveUp is one call of GiveUp.
type memGiveUp struct {
	m      *MemInbox
	f      Filter
	as     State
	reason string
	done   int
	types  map[string]int
}

func (g *memGiveUp) isFull() bool { return g.f.Limit > 0 && g.done >= g.f.Limit }

// run ends the record of s, and with it all that match of its ordering key: to take
// single ones out of a long queue costs too much.
func (g *memGiveUp) run(s memSeen) {
	m, now := g.m, time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	before := g.done
	switch q := m.queues[s.orderingKey()]; {
	case !m.isCurrent(s) || !g.matches(s.memRecord):
		return
	case s.d.OrderingKey == "":
		g.end(s.memRecord, now)
	default:
		q.items = slices.DeleteFunc(q.items, func(rec *memRecord) bool {
			ends := g.matches(rec) && !g.isFull()
			if ends {
				g.end(rec, now)
			}
			return ends
		})
		m.promote(s.orderingKey(), now)
	}
	if g.done > before {
		m.notify()
	}
}

func (g *memGiveUp) matches(rec *memRecord) bool {
	return (rec.last.state == Waiting || rec.last.state == Blocked) && g.f.matches(rec)
}

func (g *memGiveUp) end(rec *memRecord, now time.Time) {
	rec.giveUp(g.reason)
	g.m.end(rec, g.as, now)
	g.types[rec.d.Type]++
	g.done++
}
