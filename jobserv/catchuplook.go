package jobserv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
	running []int64        // builds that are not complete, or that JobServ may be calling for
	called  bool           // JobServ may be calling for one
	unread  int            // older ones of running that cannot be read
	newest  int64
	listed  map[string]bool // dedup keys of what was missing before and is there
	same    map[string]bool // dedup keys of those that the inbox has by their signature, likewise
}

// look pages through the builds since the position, newest first, and asks for those open
// ones that are older.
func (c *CatchUp) look(ctx context.Context, at *position) (lookResult, error) {
	found := lookResult{listed: make(map[string]bool), same: make(map[string]bool)}
	s := sight{c: c, to: newCollector(c.most), found: &found}
	lowest := int64(0) // of the builds that were listed
	for page := 0; ; page++ {
		got, err := c.client.builds(ctx, c.project, page)
		if err != nil {
			return lookResult{}, err
		}
		if page == 0 {
			c.begun(at, got)
			s.at, s.now, found.newest = *at, got.at, at.upto
		}
		if err := s.page(ctx, got.builds, page == 0); err != nil {
			return lookResult{}, err
		}
		if got.last {
			lowest = 1
			break
		}
		low := slices.MinFunc(got.builds, byNumber).BuildID
		if page > 0 && low >= lowest {
			return lookResult{}, fmt.Errorf("list builds: %w: page %d has no older builds than the one before", ErrAnswer, page)
		}
		if lowest = low; low <= at.upto || at.upto == 0 && s.allBefore(got.builds) {
			break
		}
	}
	if err := s.older(ctx, lowest); err != nil {
		return lookResult{}, err
	}
	c.same = found.same
	found.missing, found.beyond = s.to.oldest()
	found.more = found.beyond > 0
	return found, nil
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
		c.logger().Warn("the builds of the project begin anew: a catch-up looks at all that are listed", "project", c.project, "newest", newest, "before", at.upto)
		at.upto, at.open = 0, nil
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

// older asks for the open builds that are older than what was listed. One that cannot be read
// stays open.
func (s sight) older(ctx context.Context, lowest int64) error {
	var t tolerance
	for _, id := range s.at.open {
		if id >= lowest {
			break
		}
		b, _, err := s.c.client.build(ctx, s.c.project, id)
		switch single := t.ofOne(ctx, err); {
		case err == nil:
			if err := s.page(ctx, []Build{b}, false); err != nil {
				return err
			}
		case isRemoved(err):
		case single:
			s.found.running = append(s.found.running, id)
			s.found.unread++
			for key, o := range s.c.open {
				if o.id == id {
					s.found.listed[key] = true
				}
			}
		default:
			return err
		}
	}
	return nil
}

// isRemoved reports whether JobServ says that there is no such build (JobServ: jsend.py,
// get_or_404). A proxy without a server answers 404 too.
func isRemoved(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusNotFound && strings.HasPrefix(status.Message, "Object does not exist")
}

// dedupKey returns the dedup key that the call of a build has.
func (c *CatchUp) dedupKey(b Build) (string, error) {
	d, err := c.source.OpenUnsigned(catchup.NewCall(callHeader()), keyBody(b), "only its keys are needed")
	if err != nil {
		return "", err
	}
	if len(d.DedupKeys) == 0 {
		return "", fmt.Errorf("source %s: Describe gives a build no dedup key", c.source.Name)
	}
	return d.DedupKeys[0], nil
}

// buildAt returns a build that has what its dedup key needs.
func buildAt(url string, completed time.Time) Build {
	return Build{URL: wire.Some(url), Completed: wire.At(completed)}
}
