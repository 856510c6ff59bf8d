package jobserv

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A sight is a look that is under way. A rate limit halts it between two requests, so that
// a long list is read in the time that the limit allows.
type sight struct {
	c     *CatchUp
	at    *position
	now   time.Time // the server's
	to    *collector
	found lookResult
	t     tolerance // of the older builds

	page   int // that is next
	total  int // builds at the last page
	listed bool
	lowest int64 // of the builds that were listed

	asked   int64 // open builds up to it were asked for
	stopped bool  // no more are asked for
}

// run lists the builds since the position, newest first, and asks for those open ones that
// are older.
func (s *sight) run(ctx context.Context) error {
	for !s.listed {
		if err := s.list(ctx); err != nil {
			return err
		}
	}
	return s.older(ctx)
}

// list reads the next page.
func (s *sight) list(ctx context.Context) error {
	got, err := s.c.client.builds(ctx, s.c.project, s.page)
	if err != nil {
		return err
	}
	if s.page == 0 {
		if err := s.begin(ctx, got); err != nil {
			return err
		}
	}
	low := int64(0)
	if len(got.builds) > 0 {
		low = slices.MinFunc(got.builds, byNumber).BuildID
	}
	switch added := got.total - s.total; {
	case s.page == 0:
	case added < 0:
		return fmt.Errorf("list builds: %w: there are %d builds and were %d a page before, so some may have been skipped", ErrAnswer, got.total, s.total)
	case low >= s.lowest && added < len(got.builds): // they were not moved here by new ones
		return fmt.Errorf("list builds: %w: page %d has no older builds than the one before", ErrAnswer, s.page)
	}
	s.c.noteCreation(s.at, got.builds)
	if err := s.collect(ctx, got.builds, s.page == 0); err != nil {
		return err
	}
	if s.page == 0 || low < s.lowest {
		s.lowest = low
	}
	if s.listed = got.last || s.isOver(got.builds); got.last {
		s.lowest = 1
	}
	s.page, s.total = s.page+1, got.total
	return nil
}

// begin uses the first page. A first run stores where it begins.
func (s *sight) begin(ctx context.Context, first buildPage) error {
	s.c.begun(s.at, first)
	s.now, s.found.newest = first.at, s.at.upto
	if s.at.text == "" {
		return s.c.savePosition(ctx, s.at, *s.at)
	}
	return nil
}

// isOver reports whether the builds after a page are settled. Those of a first run are, if a
// whole page was completed longer ago than MaxAge: builds that are not complete may be behind
// others that are.
func (s *sight) isOver(page []Build) bool {
	if s.at.upto > 0 {
		return s.lowest <= s.at.upto
	}
	return !slices.ContainsFunc(page, func(b Build) bool {
		return !b.Result().Complete() || !b.Completed.Before(s.oldest())
	})
}

// oldest returns the time from which completed builds are looked at, by MaxAge.
func (s *sight) oldest() time.Time { return s.now.Add(-s.c.maxAge) }

// collect collects what is missing of a page. The first page is looked at as a whole, since
// settled builds may have run again.
func (s *sight) collect(ctx context.Context, page []Build, first bool) error {
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
		isOld := b.Completed.Before(s.oldest())
		if s.c.open[key] != nil && !isOld {
			s.found.listed[key] = true
		}
		if s.c.same[key] {
			s.found.same[key] = true
			continue
		}
		if isOld && s.at.isSettled(b.BuildID) {
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
		case m.completed.Before(s.oldest()):
			if s.c.open[m.key] == nil {
				s.found.old++
			}
		case m.completed.Sub(s.now).Abs() < callTime:
			s.found.running, s.found.called = append(s.found.running, m.id), true
		default:
			s.to.add(m)
		}
	}
	return nil
}

// isEvent reports whether JobServ calls for a complete build, and it is not before the first
// run. One that was open then was completed later, perhaps within the same second.
func (s *sight) isEvent(b Build) bool {
	switch {
	case !b.Completed.Valid() || !b.called():
		return false
	case b.Completed.Before(s.at.since) && !s.at.isOpen(b.BuildID):
		return false
	default:
		b.Status = wire.Some(b.completion())
		return s.c.Notified == nil || s.c.Notified(b)
	}
}
