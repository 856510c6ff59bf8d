package github

import (
	"context"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// overlap is how far a look goes back before its position: GitHub lists a call when it has
// ended, after ten seconds or thirty, and its times may have no fraction.
const overlap = 10 * time.Minute

// A position is how far a CatchUp has come, by GitHub's clock.
type position struct {
	upto  time.Time // what was sent until then is settled
	since time.Time // nothing before is looked at; zero: the first run has not begun
	text  string    // as it is stored
}

// from returns the time after which the deliveries are looked at.
func (p position) from() time.Time {
	if from := p.upto.Add(-overlap); from.After(p.since) {
		return from
	}
	return p.since
}

// begin sets the position of a first run. The time that is given is included, and the
// server's is one of whole seconds.
func (p *position) begin(given, now time.Time) {
	p.since = given.Add(-1)
	if given.IsZero() {
		p.since = now.Add(-time.Second)
	}
	p.upto = p.since
}

// setBack sets the position to the earliest if it is after the server's time, and reports
// that: the clock of the server was set back, and deliveries have earlier times than those
// before them. What is in the inbox is known there.
func (p *position) setBack(now time.Time) bool {
	if !p.upto.After(now.Add(overlap)) {
		return false
	}
	if p.since.After(now) {
		p.since = time.Unix(1, 0)
	}
	p.upto = p.since
	return true
}

// String returns the text that is stored, two times.
func (p position) String() string {
	return p.upto.UTC().Format(time.RFC3339Nano) + " " + p.since.UTC().Format(time.RFC3339Nano)
}

// parsePosition reads what String returns. The error of another text is not returned, since
// a look that begins as early as possible repairs it: what is in the inbox is known there.
func parsePosition(text string) (p position, ok bool) {
	upto, since, _ := strings.Cut(text, " ")
	var err1, err2 error
	p.upto, err1 = time.Parse(time.RFC3339Nano, upto)
	p.since, err2 = time.Parse(time.RFC3339Nano, since)
	return p, err1 == nil && err2 == nil && !p.since.IsZero()
}

// cursorName returns the name of the cursor of the hook, with the Source that stores its
// deliveries and the server. The name of a repository is no part of it: a program that uses
// the new name goes on.
func (c *CatchUp) cursorName() string {
	return c.source.Name + " " + c.client.base.Host + "/" + c.hook.key()
}

func (c *CatchUp) cursor() catchup.Cursor {
	return catchup.Cursor{Inbox: c.inbox, Name: c.cursorName()}
}

// loadPosition returns the stored position.
func (c *CatchUp) loadPosition(ctx context.Context) (position, error) {
	text, err := c.cursor().Load(ctx)
	if err != nil {
		return position{}, err
	}
	return c.readPosition(text), nil
}

// readPosition reads a stored text.
func (c *CatchUp) readPosition(text string) position {
	if text == "" {
		return position{}
	}
	p, ok := parsePosition(text)
	if !ok {
		c.logger().Error("the cursor of a catch-up is damaged: it begins with all that GitHub lists", "hook", c.hook, "cursor", text)
		p = position{upto: time.Unix(1, 0), since: time.Unix(1, 0)}
	}
	p.text = text
	return p
}

// savePosition moves the position forward. If another process has moved it further, that
// one is taken.
func (c *CatchUp) savePosition(ctx context.Context, at *position, upto time.Time) error {
	next := *at
	if upto.After(next.upto) {
		next.upto = upto
	}
	text, ok, err := c.cursor().Save(ctx, at.text, next.String(), func(text string) string {
		if stored := c.readPosition(text); text != "" {
			next.since = earlier(stored.since, next.since)
			if stored.upto.After(next.upto) {
				next.upto = stored.upto
			}
		}
		return next.String()
	})
	if !ok || err != nil {
		return err // nil if others move it: the next round reads it
	}
	next.text = text
	*at = next
	c.status.Change(func(s *CatchUpStatus) { s.Upto = next.upto })
	return nil
}
