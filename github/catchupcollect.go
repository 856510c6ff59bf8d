package github

import (
	"cmp"
	"slices"
	"time"
)

// A collector groups missing calls by their GUID, in bounded memory. It keeps the oldest.
type collector struct {
	most   int
	byGUID map[string]*missingCall
	order  []*missingCall // as they were added: the list is newest first
	beyond time.Time      // of what was left out, when the oldest was sent; zero: nothing was
}

func newCollector(most int) *collector {
	return &collector{most: most, byGUID: make(map[string]*missingCall)}
}

// add adds a call. Of the calls of a GUID it keeps the newest ID and the oldest time.
func (c *collector) add(d hookDelivery) {
	if m := c.byGUID[d.GUID]; m != nil {
		m.id = max(m.id, d.ID)
		m.first = earlier(m.first, d.DeliveredAt)
		return
	}
	m := &missingCall{guid: d.GUID, event: d.Event, id: d.ID, first: d.DeliveredAt}
	c.byGUID[d.GUID] = m
	c.order = append(c.order, m)
	if len(c.order) > c.most {
		out := c.order[0]
		c.order[0] = nil
		c.order = c.order[1:]
		delete(c.byGUID, out.guid)
		c.beyond = earlier(c.beyond, out.first)
	}
}

// oldest returns what was kept, oldest first, whether something was left out, and when the
// oldest of that was sent.
func (c *collector) oldest() (list []missingCall, more bool, beyond time.Time) {
	for _, m := range c.order {
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b missingCall) int {
		return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.id, b.id)) // the times have no fraction
	})
	return list, !c.beyond.IsZero(), c.beyond
}

// earlier returns the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
