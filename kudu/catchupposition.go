package kudu

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

const (
	// maxSeen bounds the marks in a position, so that it fits into a cursor.
	maxSeen = 80
	// recent is how long after its end an occurrence is looked at although others ended
	// later: the site's clock may be set back, and a swap of slots lists other deployments.
	recent = 24 * time.Hour
)

// A mark identifies an occurrence in a position.
type mark [8]byte

func markOf(id, end string) mark {
	sum := sha256.Sum256([]byte(id + "\x00" + end))
	return mark(sum[:len(mark{})])
}

// A position is how far a CatchUp has come. The times are those of the site's
// clock.
type position struct {
	begun   bool
	damaged bool      // it could not be read
	upto    time.Time // what ended until then is settled, apart from clocks that were set back
	floor   time.Time // nothing that ended until then is looked at; zero: all is
	first   time.Time // what the first run left alone ended until then; zero: nothing was
	seen    []mark    // what is listed and settled
	text    string    // as it is stored
}

// isOpen reports whether an occurrence may be missing. The time is that of the
// look, by the site's clock.
func (p *position) isOpen(o occurrence, now time.Time) bool {
	end := o.endedAt()
	switch {
	case slices.Contains(p.seen, o.mark()):
		return false
	case !end.After(p.floor):
		return false
	default:
		return end.After(p.upto) || now.Sub(end) < recent
	}
}

// next returns the position after a look at a time by the site's clock. The
// occurrences are all that are listed, newest first, of which those in open are
// not settled. An end in the future does not count as progress.
//
// If more are settled than there can be marks, the inbox is asked for the others
// as long as they are recent. What had ended before the first run it does not
// know, so that the first position has a floor then, and later ones keep the
// marks of that.
func (p *position) next(listed []occurrence, open map[mark]bool, now time.Time) position {
	next := *p
	next.begun, next.damaged, next.seen = true, false, p.leftAlone(listed, now)
	var oldestOpen time.Time
	if !p.begun {
		next.first = newestSettled(listed, open)
	}
	for _, o := range listed { // newest first
		switch end := o.endedAt(); {
		case open[o.mark()]:
			oldestOpen = end
			continue
		case slices.Contains(next.seen, o.mark()):
		case len(next.seen) < maxSeen:
			next.seen = append(next.seen, o.mark())
		case !p.begun:
			next.floor = later(next.floor, end)
		}
		next.upto = later(next.upto, earlier(o.endedAt(), now))
	}
	if !oldestOpen.IsZero() {
		next.upto = earlier(next.upto, oldestOpen.Add(-1))
	}
	next.keep(p.seen, open)
	return next
}

// leftAlone returns the marks of what the first run left alone, as far as isOpen asks for it.
func (p *position) leftAlone(listed []occurrence, now time.Time) (marks []mark) {
	for _, o := range listed {
		isRecent := now.Sub(o.endedAt()) < recent
		if isRecent && !o.endedAt().After(p.first) && slices.Contains(p.seen, o.mark()) {
			marks = append(marks, o.mark())
		}
	}
	return marks
}

// newestSettled returns the last end of those that are not open, zero if there are none.
func newestSettled(listed []occurrence, open map[mark]bool) (last time.Time) {
	for _, o := range listed {
		if !open[o.mark()] {
			last = later(last, o.endedAt())
		}
	}
	return last
}

// keep adds marks as long as there is room. What is not listed now may be listed again, after
// slots are swapped back or when the site has its files again.
func (p *position) keep(marks []mark, open map[mark]bool) {
	for _, m := range marks {
		if len(p.seen) < maxSeen && !open[m] && !slices.Contains(p.seen, m) {
			p.seen = append(p.seen, m)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// merge returns a position that regards another one too. Both are of the same
// inbox, so what one process has settled is settled.
func (p position) merge(other position) position {
	p.upto, p.floor, p.first = later(p.upto, other.upto), later(p.floor, other.floor), later(p.first, other.first)
	p.seen = slices.Clone(p.seen)
	p.keep(other.seen, nil)
	return p
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// String returns the text that is stored: three times, and the marks.
func (p position) String() string {
	marks := make([]byte, 0, len(p.seen)*len(mark{}))
	for _, m := range p.seen {
		marks = append(marks, m[:]...)
	}
	times := formatTime(p.upto) + " " + formatTime(p.floor) + " " + formatTime(p.first)
	return times + " " + base64.RawURLEncoding.EncodeToString(marks)
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func parseTime(text string) (time.Time, error) {
	if text == "-" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

// parsePosition reads what String returns.
func parsePosition(text string) (position, bool) {
	parts := strings.Split(text, " ")
	if len(parts) != 4 {
		return position{}, false
	}
	upto, err1 := parseTime(parts[0])
	floor, err2 := parseTime(parts[1])
	first, err3 := parseTime(parts[2])
	marks, err4 := base64.RawURLEncoding.DecodeString(parts[3])
	if errors.Join(err1, err2, err3, err4) != nil || len(marks)%len(mark{}) != 0 {
		return position{}, false
	}
	p := position{begun: true, upto: upto, floor: floor, first: first, text: text}
	for m := range slices.Chunk(marks, len(mark{})) {
		p.seen = append(p.seen, mark(m))
	}
	return p, true
}

// cursor is the one of the target, with the Source that stores its deliveries.
func (c *CatchUp) cursor() catchup.Cursor {
	name := c.source.Name + " " + strings.ToLower(c.client.site.Host+c.client.site.Path)
	if c.target.set {
		name += " job " + strings.ToLower(c.target.job)
	} else {
		name += " deployments"
	}
	return catchup.Cursor{Inbox: c.inbox, Name: name}
}

// loadPosition returns the stored position.
func (c *CatchUp) loadPosition(ctx context.Context) (position, error) {
	text, err := c.cursor().Load(ctx)
	if err != nil {
		return position{}, err
	}
	p, ok := parsePosition(text)
	if !ok && text != "" {
		c.logger().Error("the cursor of a catch-up is damaged: it looks at all that is recent", "target", c, "cursor", text)
		p.begun, p.damaged = true, true
	}
	p.text = text
	return p, nil
}

// savePosition stores the next position. If another process has stored one
// meanwhile, what that one has settled is kept too, and if this is a first run,
// that process began first.
func (c *CatchUp) savePosition(ctx context.Context, at *position, next position) error {
	text, ok, err := c.cursor().Save(ctx, at.text, next.String(), func(stored string) string {
		other, ok := parsePosition(stored)
		switch {
		case ok && !at.begun:
			next = other
		case ok:
			next = next.merge(other)
		}
		return next.String()
	})
	if err != nil || !ok {
		return err // if others move it again and again, the next round reads it
	}
	next.text = text
	*at = next
	c.status.Change(func(s *CatchUpStatus) { s.Upto = next.upto })
	return nil
}
