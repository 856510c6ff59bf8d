package jobserv

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// callTime is how long JobServ's own call of a build may take: four attempts within seven
// seconds, and the time of the last one (JobServ: notify.py).
const callTime = 15 * time.Second

// A lookResult is what a look has found.
type lookResult struct {
	missing []missingBuild // those that were completed first come first
	more    bool           // there are others
	beyond  int64          // the lowest number of those
	running []int64        // builds that are not complete, that JobServ may be calling for, or that cannot be read
	called  bool           // JobServ may be calling for one
	old     int            // builds that are not known, and were completed longer ago than MaxAge
	newest  int64
	listed  map[string]bool // dedup keys of what was missing before and is there
	same    map[string]bool // dedup keys of those that the inbox has by their signature, likewise
	err     error           // why older ones of running were not read
}

// look looks for what is missing. It goes on with a look that a rate limit has halted.
func (c *CatchUp) look(ctx context.Context) (*sight, error) {
	s := c.halted.sight
	c.halted.sight = nil
	if s == nil {
		at, err := c.loadPosition(ctx)
		if err != nil {
			return nil, err
		}
		s = &sight{c: c, at: &at, to: newCollector(c.most), t: tolerance{c: c}}
		s.found.listed, s.found.same = make(map[string]bool), make(map[string]bool)
	}
	if err := s.run(ctx); err != nil {
		if errors.Is(err, ErrRateLimited) {
			c.halted.sight = s
		}
		return nil, err
	}
	c.same = s.found.same
	s.found.missing, s.found.beyond = s.to.oldest()
	s.found.more = s.found.beyond > 0
	return s, nil
}

func byNumber(a, b Build) int { return cmp.Compare(a.BuildID, b.BuildID) }

// begun sets the position of a first run by the first page. What is complete there is before
// it, unless Since is given or it was completed after Run began. If the newest build has a
// lower number than the position, the project was created again.
func (c *CatchUp) begun(at *position, first buildPage) {
	if at.since.IsZero() {
		at.since = c.Since
		if c.Since.IsZero() {
			at.since = latest(first.builds)
			if waited := time.Since(c.began); waited > callTime {
				at.since = earlier(at.since, first.at.Add(-waited))
			}
		}
	}
	newest := int64(0)
	for _, b := range first.builds {
		newest = max(newest, b.BuildID)
	}
	if newest < at.upto {
		c.beginAnew(at, newest)
	}
}

// beginAnew resets the position in a project that was removed and created again.
func (c *CatchUp) beginAnew(at *position, newest int64) {
	c.logger().Warn("the builds of the project begin anew: a catch-up looks at all that are listed", "project", c.project, "newest", newest, "before", at.upto)
	at.upto, at.open, at.created = 0, nil, time.Time{}
}

// creationSlack is how far the numbers of builds may differ from the order of their creation:
// several may be created at the same time.
const creationSlack = time.Minute

// noteCreation notes when the builds of a page were created. If one up to the position was
// created after all that were listed before, the project was created again and has as many
// builds as it had.
func (c *CatchUp) noteCreation(at *position, page []Build) {
	for _, b := range page {
		if b.BuildID <= at.upto && !at.created.IsZero() && b.Created.After(at.created.Add(creationSlack)) {
			c.beginAnew(at, b.BuildID)
		}
	}
	for _, b := range page {
		if b.Created.After(at.listed) {
			at.listed = b.Created.Time
		}
	}
}

// latest returns a time after those of all builds, by the clock that sets them, which the
// Date of an answer may not have. What is completed later has a later time.
func latest(builds []Build) time.Time {
	last := time.Unix(1, 0)
	for _, b := range builds {
		for _, at := range []wire.Time{b.Created, b.Completed} {
			if at.After(last) {
				last = at.Time
			}
		}
	}
	return last.Add(1)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// dedupKey returns the dedup key that the call of a build has.
func (c *CatchUp) dedupKey(b Build) (string, error) {
	return catchup.FirstKey(c.source, callHeader(), keyBody(b))
}

// buildAt returns a build that has what its dedup key needs.
func buildAt(url string, completed time.Time) Build {
	return Build{URL: wire.Some(url), Completed: wire.At(completed)}
}
