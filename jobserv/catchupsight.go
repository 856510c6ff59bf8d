package jobserv

import (
	"context"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// A sight is the part of a look that is the same for all its pages.
type sight struct {
	c     *CatchUp
	at    position
	now   time.Time // the server's
	to    *collector
	found *lookResult
}

// allBefore reports whether all builds of a page were completed before what is looked at.
func (s sight) allBefore(page []Build) bool {
	return !slices.ContainsFunc(page, func(b Build) bool {
		return !b.Result().Complete() || !b.Completed.Before(s.from())
	})
}

// from returns the time from which completed builds are looked at.
func (s sight) from() time.Time {
	if oldest := s.now.Add(-s.c.maxAge()); oldest.After(s.at.since) {
		return oldest
	}
	return s.at.since
}

// page collects what is missing of a page. The first page is looked at as a whole, since
// settled builds may have run again.
func (s sight) page(ctx context.Context, page []Build, first bool) error {
	var keys []string
	var complete []missingBuild
	for _, b := range page {
		s.found.newest = max(s.found.newest, b.BuildID)
		if s.at.isSettled(b.BuildID) && !first {
			continue
		}
		if !b.Result().Complete() {
			s.found.running = append(s.found.running, b.BuildID)
			continue
		}
		if !s.isEvent(b) {
			continue
		}
		key, err := s.c.dedupKey(b)
		if err != nil {
			return err
		}
		if s.c.open[key] != nil {
			s.found.listed[key] = true
		}
		if s.c.same[key] {
			s.found.same[key] = true
			continue
		}
		keys = append(keys, key)
		complete = append(complete, missingBuild{id: b.BuildID, key: key, completed: b.Completed.Time})
	}
	known, err := catchup.Known(ctx, s.c.inbox, s.c.source.Name, keys)
	if err != nil {
		return err
	}
	for n, m := range complete {
		switch {
		case known[n]:
		case m.completed.Sub(s.now).Abs() < callTime:
			s.found.running, s.found.called = append(s.found.running, m.id), true
		default:
			s.to.add(m)
		}
	}
	return nil
}

// isEvent reports whether JobServ calls for a complete build, and it is not before what is
// looked at.
func (s sight) isEvent(b Build) bool {
	switch {
	case !b.Completed.Valid() || b.Completed.Before(s.from()):
		return false
	case b.Created.Valid() && !b.Completed.After(b.Created.Time): // external, or failed before it began
		return false
	default:
		return s.c.Notified == nil || s.c.Notified(b)
	}
}
