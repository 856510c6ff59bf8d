package jobserv

import (
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// maxMissing bounds the missing builds that one round handles. Another round follows for the
// others.
const maxMissing = 10_000

// An openBuild is a completion that was found missing and is neither settled nor lost.
type openBuild struct {
	missingBuild
	tries int // readings that failed
}

// round looks once, and catches up what is missing. It returns the time until the next round
// is due, zero if only Every or a Look makes one.
func (c *CatchUp) round(ctx context.Context) (time.Duration, error) {
	at, err := c.loadPosition(ctx)
	if err != nil {
		return 0, err
	}
	found, err := c.look(ctx, &at)
	if err != nil {
		return 0, err
	}
	c.status.Change(func(s *CatchUpStatus) { s.Looks, s.Looked, s.Running = s.Looks+1, time.Now(), len(found.running) })
	if err := c.noteGone(ctx, found); err != nil {
		return 0, err
	}
	c.noteMissing(found)
	r := &recovery{c: c, at: &at, found: found, queue: found.missing}
	if err := r.run(ctx); err != nil {
		return 0, errors.Join(err, r.save(ctx))
	}
	wait := time.Duration(0)
	left := len(r.failed) + found.unread
	switch {
	case left > 0 && r.settled == 0:
		c.idle++
		wait = catchup.Idle(c.idle)
	case found.more:
		wait = time.Nanosecond // at once
	case left > 0:
		wait = catchup.Idle(1)
	}
	if r.settled > 0 || left == 0 {
		c.idle = 0
	}
	if found.called && (wait == 0 || wait > callTime) {
		wait = callTime
	}
	return wait, nil
}

// noteGone ends what was missing and is so no more: what is known is settled, and what
// JobServ does not have any more is lost.
func (c *CatchUp) noteGone(ctx context.Context, found lookResult) error {
	missing := make(map[string]bool, len(found.missing))
	for _, m := range found.missing {
		missing[m.key] = true
	}
	var keys []string
	for key := range c.open {
		if !missing[key] {
			keys = append(keys, key)
		}
	}
	known, err := catchup.Known(ctx, c.inbox, c.source.Name, keys)
	if err != nil {
		return err
	}
	for n, key := range keys {
		switch o := c.open[key]; {
		case known[n]:
			c.settled(o.missingBuild)
		case !found.listed[key]:
			c.lost(o.missingBuild)
		}
	}
	return nil
}

// settled notes that the inbox knows a completion that was missing.
func (c *CatchUp) settled(m missingBuild) {
	delete(c.open, m.key)
	c.status.Change(func(s *CatchUpStatus) { s.Settled++ })
}

// lost notes that a completion that was missing cannot be had any more.
func (c *CatchUp) lost(m missingBuild) {
	delete(c.open, m.key)
	c.status.Change(func(s *CatchUpStatus) { s.Lost++ })
	c.logger().Error("a build is lost: it was removed, is too old, or has run again", "project", c.project, "build", m.id, "completed", m.completed)
}

// noteMissing notes and logs what was not missing before.
func (c *CatchUp) noteMissing(found lookResult) {
	fresh := 0
	for _, m := range found.missing {
		if c.open[m.key] == nil {
			c.open[m.key] = &openBuild{missingBuild: m}
			fresh++
		}
	}
	c.status.Change(func(s *CatchUpStatus) { s.Found, s.Missing = s.Found+fresh, len(found.missing) })
	if fresh > 0 {
		c.logger().Warn("builds are missing", "project", c.project, "count", fresh, "more", found.more,
			"from", found.missing[0].completed, "to", found.missing[len(found.missing)-1].completed)
	}
}
