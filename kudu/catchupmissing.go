package kudu

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// savedEvery is how many deliveries are put before the progress is saved.
const savedEvery = 100

// An openCall is an occurrence that was found missing and is neither settled nor lost.
type openCall struct {
	id    string
	end   time.Time
	keys  []string
	tried bool // a put has failed for good, which was logged
	tries int  // puts that have failed and may succeed later
}

// A missingCall is an occurrence that the inbox does not know, and its delivery, or why the
// Source cannot make one.
type missingCall struct {
	occurrence
	delivery *webhook.Delivery
	err      error
}

// keys returns the dedup keys, none if there is no delivery.
func (m missingCall) keys() []string {
	if m.err != nil {
		return nil
	}
	return m.delivery.DedupKeys
}

// missing returns what the inbox does not know, oldest first. Of what is older than MaxAge it
// may have forgotten the keys.
func (c *CatchUp) missing(ctx context.Context, ended []occurrence, at position, now time.Time) ([]missingCall, error) {
	var all []missingCall
	var keys []string
	for _, o := range slices.Backward(ended) {
		if !at.isOpen(o, now) || now.Sub(o.endedAt()) > c.maxAge() {
			continue
		}
		d, err := c.delivery(o)
		m := missingCall{o, d, err}
		all = append(all, m)
		keys = append(keys, m.keys()...)
	}
	known, err := catchup.Known(ctx, c.inbox, c.source.Name, keys)
	if err != nil {
		return nil, err
	}
	var missing []missingCall
	for _, m := range all {
		n := len(m.keys())
		if !slices.Contains(known[:n], true) {
			missing = append(missing, m)
		}
		known = known[n:]
	}
	return missing, nil
}

// noteGone ends what was missing and is so no more: what is known is settled. The rest is
// lost: the site does not list it any more, or it is older than MaxAge.
func (c *CatchUp) noteGone(ctx context.Context, missing []missingCall) error {
	still := make(map[mark]bool, len(missing))
	for _, m := range missing {
		still[m.mark()] = true
	}
	known, unknown, err := catchup.Gone(ctx, c.inbox, c.source.Name, c.open, still, func(_ mark, o openCall) ([]string, error) {
		return o.keys, nil
	})
	for _, id := range known {
		c.settled(id)
	}
	for _, id := range unknown {
		o := c.open[id]
		delete(c.open, id)
		c.status.Change(func(s *CatchUpStatus) { s.Lost++ })
		c.logger().Error("what was missing is lost: the site does not list it any more, or it is too old", "target", c.String(), "id", o.id, "ended", o.end)
	}
	return err
}

// noteMissing notes and logs what was not missing before.
func (c *CatchUp) noteMissing(missing []missingCall) {
	fresh := 0
	for _, m := range missing {
		if _, ok := c.open[m.mark()]; !ok {
			c.open[m.mark()] = openCall{id: m.id, end: m.endedAt(), keys: m.keys()}
			fresh++
		}
	}
	c.status.Change(func(s *CatchUpStatus) { s.Found, s.Missing = s.Found+fresh, len(missing) })
	if fresh > 0 {
		c.logger().Warn("calls are missing", "target", c.String(), "count", fresh,
			"from", missing[0].endedAt(), "to", missing[len(missing)-1].endedAt())
	}
}

// put puts what is missing, oldest first, and saves the progress after it. It returns how
// many the Source or the inbox has refused for good: they hold up no others, and are tried
// again. One for which the inbox fails otherwise comes after the others in the next round.
func (c *CatchUp) put(ctx context.Context, at *position, l contents, missing []missingCall, now time.Time) (left int, err error) {
	slices.SortStableFunc(missing, func(a, b missingCall) int { return cmp.Compare(c.open[a.mark()].tries, c.open[b.mark()].tries) })
	open := make(map[mark]bool, len(missing))
	for _, m := range missing {
		open[m.mark()] = true
	}
	save := func() error {
		next := at.next(l.ended, open, now)
		if l.unread > 0 {
			next.upto = at.upto // when they ended is unknown
		}
		return c.savePosition(ctx, at, next)
	}
	for n, m := range missing {
		isNew, err := false, m.err
		if err == nil {
			isNew, err = catchup.Put(ctx, c.inbox, m.delivery)
		}
		switch {
		case err == nil:
			delete(open, m.mark())
			c.settled(m.mark())
			if isNew {
				c.status.Change(func(s *CatchUpStatus) { s.Stored++ })
			}
		case m.err == nil && !webhook.IsPermanent(err):
			o := c.open[m.mark()]
			o.tries++
			c.open[m.mark()] = o
			return 0, errors.Join(err, save())
		default:
			left++
			c.refused(m, err)
		}
		if (n+1)%savedEvery == 0 {
			if err := save(); err != nil {
				return 0, err
			}
		}
	}
	return left, save()
}

// refused logs once that an occurrence cannot be stored.
func (c *CatchUp) refused(m missingCall, err error) {
	o := c.open[m.mark()]
	if !o.tried {
		c.logger().Error("what is missing cannot be stored, and is tried again", "target", c.String(), "id", m.id, "ended", m.endedAt(), "reason", err)
	}
	o.tried = true
	c.open[m.mark()] = o
}

// settled notes that the inbox knows what was missing.
func (c *CatchUp) settled(id mark) {
	if _, ok := c.open[id]; !ok {
		return
	}
	delete(c.open, id)
	c.status.Change(func(s *CatchUpStatus) { s.Settled, s.Missing = s.Settled+1, len(c.open) })
}
