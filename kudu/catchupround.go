package kudu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// beganNow is how long after the begin of Run a first look may come for what is listed to be
// what had ended before. Later, the clocks decide.
const beganNow = time.Minute

// round puts the hook back, and looks once. It returns the time until the next round is
// due, zero if only Every or a Look makes one.
func (c *CatchUp) round(ctx context.Context) (time.Duration, error) {
	hookErr := c.ensureHook(ctx)
	if status, ok := errors.AsType[*StatusError](hookErr); ok && (status.RetryAfter > 0 || errors.Is(hookErr, ErrDenied)) {
		return 0, hookErr // the next request would get the same answer
	}
	wait, err := c.look(ctx)
	c.failed = c.failed || err != nil
	if err != nil {
		return 0, err
	}
	if hookErr != nil {
		return 0, fmt.Errorf("%w: %w", errBeside, hookErr)
	}
	return wait, nil
}

// errBeside is the kind of the error of a hook that keeps no look from being made.
var errBeside = errors.New("the hook cannot be put there")

// ensureHook puts the hook back if there is one.
func (c *CatchUp) ensureHook(ctx context.Context) error {
	if c.Hook.URL == "" {
		return nil
	}
	got, created, err := c.client.ensure(ctx, c.Hook)
	if err != nil {
		return err
	}
	if created {
		c.logger().Warn("the hook was not at the site, and is put there", "target", c.String(), "hook", got)
		c.status.Change(func(s *CatchUpStatus) { s.Hooks++ })
	}
	return nil
}

// look reads the list and puts what is missing.
func (c *CatchUp) look(ctx context.Context) (time.Duration, error) {
	at, err := c.loadPosition(ctx)
	if err != nil {
		return 0, err
	}
	etag := c.etag
	c.etag = "" // the next look needs one of a whole look
	got, err := c.client.list(ctx, c.target, etag)
	if err != nil {
		return 0, err
	}
	if got.unchanged {
		c.etag = cmp.Or(got.etag, etag)
		c.status.Change(func(s *CatchUpStatus) { s.Looks, s.Looked = s.Looks+1, time.Now() })
		return 0, nil
	}
	l := c.read(got)
	if at.damaged {
		at.upto = got.at
	}
	if !at.begun {
		if err := c.savePosition(ctx, &at, c.first(l.ended, got.at)); err != nil || !at.begun {
			return time.Second, err
		}
	}
	c.status.Change(func(s *CatchUpStatus) { s.Looks, s.Looked = s.Looks+1, time.Now() })
	missing, err := c.missing(ctx, l.ended, at, got.at)
	if err != nil {
		return 0, err
	}
	if err := c.noteGone(ctx, missing); err != nil {
		return 0, err
	}
	c.noteMissing(missing)
	left, err := c.put(ctx, &at, l, missing, got.at)
	switch {
	case err != nil:
		return 0, err
	case l.unread > 0:
		return 0, fmt.Errorf("%w: %d of %d entries cannot be read", ErrAnswer, l.unread, len(got.entries))
	case left > 0 && left == len(missing):
		c.idle++
		return catchup.Idle(c.idle), nil
	case left > 0:
		c.idle = 0
		return catchup.Idle(1), nil
	}
	c.idle = 0
	if !l.inProgress {
		c.etag = got.etag
	}
	return 0, nil
}

// A contents is what a list has.
type contents struct {
	ended      []occurrence // newest first
	inProgress bool         // a deployment is, whose interruption changes no ETag
	unread     int          // entries that cannot be decoded
}

// read reads the entries of a list. One that cannot be read holds up no other.
func (c *CatchUp) read(got listing) contents {
	var l contents
	for _, entry := range got.entries {
		o, ended, err := c.target.occurrence(entry)
		switch {
		case err != nil:
			l.unread++
		case ended:
			l.ended = append(l.ended, o)
		default:
			l.inProgress = l.inProgress || !c.target.set
		}
	}
	slices.SortStableFunc(l.ended, func(a, b occurrence) int { return b.endedAt().Compare(a.endedAt()) })
	return l
}

// first returns the position in which a first run begins: what had ended before is settled.
// What is listed now had, whatever the site's clock says, unless looks have failed.
func (c *CatchUp) first(ended []occurrence, now time.Time) position {
	since := c.Since
	if elapsed := time.Since(c.began); since.IsZero() && c.failed && elapsed > beganNow {
		since = now.Add(-elapsed)
	}
	open := make(map[mark]bool)
	for _, o := range ended {
		if !since.IsZero() && !o.endedAt().Before(since) {
			open[o.mark()] = true
		}
	}
	return new(position).next(ended, open, now)
}
