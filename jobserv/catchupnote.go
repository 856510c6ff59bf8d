package jobserv

import (
	"context"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// noteGone ends what was missing and is so no more: what is known is settled, and what
// JobServ does not have any more is lost.
func (c *CatchUp) noteGone(ctx context.Context, found lookResult) error {
	missing := make(map[string]bool, len(found.missing))
	for _, m := range found.missing {
		missing[m.key] = true
	}
	known, unknown, err := catchup.Gone(ctx, c.inbox, c.source.Name, c.open, missing, func(key string, _ *openBuild) ([]string, error) {
		return []string{key}, nil
	})
	for _, key := range known {
		c.settled(c.open[key].missingBuild)
	}
	for _, key := range unknown {
		if !found.listed[key] {
			c.lost(c.open[key].missingBuild)
		}
	}
	return err
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

// noteOpen notes how much is missing now.
func (c *CatchUp) noteOpen() {
	c.status.Change(func(s *CatchUpStatus) { s.Missing = len(c.open) })
}

// noteMissing notes and logs what was not missing before, and what is too old to be.
func (c *CatchUp) noteMissing(found lookResult) {
	fresh := 0
	for _, m := range found.missing {
		if c.open[m.key] == nil {
			c.open[m.key] = &openBuild{missingBuild: m}
			fresh++
		}
	}
	c.status.Change(func(s *CatchUpStatus) { s.Found += fresh })
	c.noteOpen()
	if fresh > 0 {
		c.logger().Warn("builds are missing", "project", c.project, "count", fresh, "more", found.more,
			"from", found.missing[0].completed, "to", found.missing[len(found.missing)-1].completed)
	}
	if found.old > 0 {
		c.logger().Warn("builds are left alone: they were completed longer ago than MaxAge", "project", c.project, "count", found.old, "MaxAge", c.maxAge)
	}
}
