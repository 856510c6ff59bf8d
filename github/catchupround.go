package github

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// maxMissing bounds the missing deliveries that one round handles. The oldest come first, and
// another round follows for the others.
const maxMissing = 10_000

// An openCall is a GUID that was found missing and is neither settled nor lost.
type openCall struct {
	tries int // redeliveries that were asked for, or readings
	first time.Time
	event string
}

// A missingCall is a GUID that the inbox does not know.
type missingCall struct {
	guid, event string
	id          int64     // of the newest call, which GitHub keeps the longest
	first       time.Time // when the oldest call of it was made
}

// round looks once, and catches up what is missing. It returns the time until the next
// round is due, zero if only Every or a Look makes one.
func (c *CatchUp) round(ctx context.Context) (time.Duration, error) {
	at, err := c.loadPosition(ctx)
	if err != nil {
		return 0, err
	}
	found, err := c.look(ctx, &at)
	if err != nil {
		return 0, err
	}
	c.status.Change(func(s *CatchUpStatus) { s.Looks, s.Looked = s.Looks+1, time.Now() })
	if found.unchanged {
		return 0, nil
	}
	if err := c.noteGone(ctx, found); err != nil {
		return 0, err
	}
	c.noteMissing(found)
	r := &recovery{c: c, at: &at, found: found}
	if err := r.run(ctx); err != nil {
		return 0, errors.Join(err, r.save(ctx))
	}
	if found.unread > 0 {
		return 0, fmt.Errorf("%w: %d entries of the list cannot be read", ErrAnswer, found.unread)
	}
	switch {
	case r.open() == 0 && !found.more:
		c.etag, c.idle = found.etag, 0
		return 0, nil
	case r.open() == len(found.missing): // nothing has arrived
		c.idle++
		return catchup.Idle(c.idle), nil
	case found.more || len(r.queue) > 0:
		c.idle = 0
		return time.Nanosecond, nil // at once
	default:
		c.idle = 0
		return catchup.Idle(1), nil
	}
}

// noteGone ends what was missing and is so no more: what is known is settled, and what
// GitHub does not list any more is lost.
func (c *CatchUp) noteGone(ctx context.Context, found lookResult) error {
	missing := make(map[string]bool, len(found.missing))
	for _, m := range found.missing {
		missing[m.guid] = true
	}
	known, unknown, err := catchup.Gone(ctx, c.inbox, c.source.Name, c.open, missing, func(guid string, o *openCall) ([]string, error) {
		key, err := c.dedupKey(hookDelivery{GUID: guid, Event: o.event})
		return []string{key}, err
	})
	for _, guid := range known {
		c.settled(missingCall{guid: guid})
	}
	for _, guid := range unknown {
		if !found.listed[guid] {
			o := c.open[guid]
			delete(c.open, guid)
			c.status.Change(func(s *CatchUpStatus) { s.Lost++ })
			c.logger().Error("a delivery is lost: GitHub does not list it any more", "hook", c.hook, "guid", guid, "event", o.event, "sent", o.first)
		}
	}
	return err
}

// unknown returns those of a list that the inbox does not know. The others are settled.
func (c *CatchUp) unknown(ctx context.Context, list []missingCall) (left []missingCall, err error) {
	keys := make([]string, len(list))
	for n, m := range list {
		if keys[n], err = c.dedupKey(hookDelivery{GUID: m.guid, Event: m.event}); err != nil {
			return nil, err
		}
	}
	known, err := c.known(ctx, keys)
	if err != nil {
		return nil, err
	}
	for n, m := range list {
		if known[n] {
			c.settled(m)
		} else {
			left = append(left, m)
		}
	}
	return left, nil
}

// settled notes that the inbox knows a GUID that was missing.
func (c *CatchUp) settled(m missingCall) {
	delete(c.open, m.guid)
	c.idle = 0
	c.status.Change(func(s *CatchUpStatus) { s.Settled++ })
}

// noteMissing notes and logs what was not missing before.
func (c *CatchUp) noteMissing(found lookResult) {
	fresh := 0
	for _, m := range found.missing {
		if c.open[m.guid] == nil {
			c.open[m.guid] = &openCall{first: m.first, event: m.event}
			fresh++
		}
	}
	c.status.Change(func(s *CatchUpStatus) { s.Found, s.Missing = s.Found+fresh, len(found.missing) })
	if fresh > 0 {
		c.logger().Warn("deliveries are missing", "hook", c.hook, "count", fresh, "more", found.more,
			"from", found.missing[0].first, "to", found.missing[len(found.missing)-1].first)
	}
}

var _ webhook.Runner = (*CatchUp)(nil)
