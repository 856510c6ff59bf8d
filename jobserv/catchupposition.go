package jobserv

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// maxOpen bounds the builds that a position has beside its number, so that a cursor holds
// them: it has up to 1 KiB.
const maxOpen = 40

// A position is how far a CatchUp has come. All builds up to a number are settled but those
// that are open: they are not complete, or complete and not in the inbox.
type position struct {
	upto  int64
	open  []int64   // ascending, each up to upto, at most maxOpen
	since time.Time // what was completed before is not looked at; zero: the first run has not begun
	text  string    // as it is stored
	// created is when the last of the builds was created that were listed until it was stored,
	// by the clock that sets it; zero if that is not known. A position that an earlier version
	// has stored does not have it.
	created time.Time
	listed  time.Time // likewise, with those that were listed since
}

// isOpen reports whether a build was open when the position was stored.
func (p position) isOpen(id int64) bool {
	_, found := slices.BinarySearch(p.open, id)
	return found
}

// isSettled reports whether a build is settled, unless it has run again since.
func (p position) isSettled(id int64) bool {
	return id <= p.upto && !p.isOpen(id)
}

// moved returns a position for the newest build and the open ones. If they are too many, its
// number is before those that it has no room for. Build numbers of beyond and above count as
// open; zero means none.
func (p position) moved(newest, beyond int64, open []int64) position {
	open = slices.Compact(slices.Sorted(slices.Values(open)))
	p.upto, p.open = newest, open
	if len(open) > maxOpen {
		p.upto, p.open = open[maxOpen]-1, open[:maxOpen]
	}
	if beyond > 0 {
		p.upto = min(p.upto, beyond-1)
	}
	end, _ := slices.BinarySearch(p.open, p.upto+1)
	p.open = p.open[:end]
	if p.listed.After(p.created) {
		p.created = p.listed
	}
	return p
}

// merged returns the position of two processes: what either has settled is settled.
func (p position) merged(other position) position {
	var open []int64
	for _, list := range [][]int64{p.open, other.open} {
		for _, id := range list {
			if !p.isSettled(id) && !other.isSettled(id) {
				open = append(open, id)
			}
		}
	}
	next := p.moved(max(p.upto, other.upto), 0, open)
	if other.since.Before(next.since) {
		next.since = other.since
	}
	if other.created.After(next.created) {
		next.created = other.created
	}
	return next
}

// String returns the text that is stored: the number, the time, the open builds and, if it is
// known, when the last build was created.
func (p position) String() string {
	open := make([]string, len(p.open))
	for n, id := range p.open {
		open[n] = strconv.FormatInt(id, 10)
	}
	text := fmt.Sprintf("%d %s %s", p.upto, p.since.UTC().Format(time.RFC3339Nano), strings.Join(open, ","))
	if !p.created.IsZero() {
		text += " " + p.created.UTC().Format(time.RFC3339Nano)
	}
	return text
}

// parsePosition reads what String returns.
func parsePosition(text string) (p position, ok bool) {
	parts := strings.Split(text, " ")
	if len(parts) < 3 || len(parts) > 4 {
		return position{}, false
	}
	var err error
	if len(parts) == 4 {
		if p.created, err = time.Parse(time.RFC3339Nano, parts[3]); err != nil {
			return position{}, false
		}
	}
	if p.upto, err = strconv.ParseInt(parts[0], 10, 64); err != nil || p.upto < 0 {
		return position{}, false
	}
	if p.since, err = time.Parse(time.RFC3339Nano, parts[1]); err != nil || p.since.IsZero() {
		return position{}, false
	}
	if parts[2] == "" {
		return p, true
	}
	for field := range strings.SplitSeq(parts[2], ",") {
		id, err := strconv.ParseInt(field, 10, 64)
		if err != nil || id > p.upto || len(p.open) > 0 && id <= p.open[len(p.open)-1] {
			return position{}, false
		}
		p.open = append(p.open, id)
	}
	return p, true
}

// cursorName returns the name of the cursor of the project, with the Source that stores its
// deliveries and the server.
func (c *CatchUp) cursorName() string {
	return c.source.Name + " " + c.client.servers[0].host + ":" + c.client.servers[0].port + "/projects/" + c.project
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

// readPosition reads a stored text. A damaged one is repaired by a look at all that is listed
// and not too old: what is in the inbox is known there.
func (c *CatchUp) readPosition(text string) position {
	if text == "" {
		return position{}
	}
	p, ok := parsePosition(text)
	if !ok {
		c.logger().Error("the cursor of a catch-up is damaged: it begins with all that JobServ lists", "project", c.project, "cursor", text)
		p = position{since: time.Unix(1, 0)}
	}
	p.text = text
	return p
}

// savePosition stores a position in place of at.
func (c *CatchUp) savePosition(ctx context.Context, at *position, next position) error {
	text, ok, err := c.cursor().Save(ctx, at.text, next.String(), func(text string) string {
		if text != "" {
			next = next.merged(c.readPosition(text))
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
