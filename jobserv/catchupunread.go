package jobserv

import (
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// maxServerErrors is how many builds in a row the server may fail to answer for, before it is
// the server that fails and not these builds.
const maxServerErrors = 3

// An unreadBuild is a build that cannot be read, while others can.
type unreadBuild struct {
	since time.Time // of the first failure, by this machine's clock
	tries int
	next  time.Time // when it is tried again
}

// unreadable notes that a build was not read, and logs the first time.
func (c *CatchUp) unreadable(id int64, err error) {
	now := time.Now()
	u := c.unread[id]
	if u == nil {
		u = &unreadBuild{since: now}
		c.unread[id] = u
		if !c.loop.Logged(err) {
			c.logger().Warn("a build cannot be read, and is tried again", "project", c.project, "build", id, "reason", err)
		}
	}
	u.tries++
	u.next = now.Add(catchup.Idle(u.tries))
}

// isDue reports whether a build may be read now.
func (c *CatchUp) isDue(id int64) bool {
	u := c.unread[id]
	return u == nil || !time.Now().Before(u.next)
}

// untilDue returns the time until the next build that cannot be read is tried again, zero if
// there is none.
func (c *CatchUp) untilDue() time.Duration {
	wait := time.Duration(0)
	for _, u := range c.unread {
		if left := max(time.Until(u.next), time.Nanosecond); wait == 0 || left < wait {
			wait = left
		}
	}
	return wait
}

// isGivenUp reports whether an open build that cannot be read is too old: it was completed
// before oldest or, if nobody knows when, it could not be read for MaxAge.
func (c *CatchUp) isGivenUp(id int64, oldest time.Time) bool {
	u := c.unread[id]
	if u == nil {
		return false
	}
	for _, o := range c.open {
		if o.id == id {
			return o.completed.Before(oldest)
		}
	}
	return time.Since(u.since) > c.maxAge
}

// gone ends an open build that is not there any more, or was given up. If it was found
// missing, noteGone counts it.
func (c *CatchUp) gone(id int64) {
	delete(c.unread, id)
	for _, o := range c.open {
		if o.id == id {
			return
		}
	}
	c.status.Change(func(s *CatchUpStatus) { s.Found++ })
	c.lost(missingBuild{id: id})
}

// A tolerance tells the failure of the server from that of single builds, in one round.
type tolerance struct {
	c      *CatchUp
	inRow  []failedBuild // errors of the server since its last answer
	worked bool          // the server has answered for a build
	again  int           // builds that could not be read before, and for which it failed again
}

// A failedBuild is a build for which the server failed.
type failedBuild struct {
	id  int64
	err error
}

// skips reports whether a build that cannot be read has its turn in a later round. Each may
// take the time of a timeout, so a round tries a few.
func (t *tolerance) skips(id int64) bool {
	return !t.c.isDue(id) || t.c.unread[id] != nil && t.again >= maxServerErrors
}

// read notes that a build was read.
func (t *tolerance) read(id int64) {
	t.answered()
	t.worked = true
	delete(t.c.unread, id)
}

// answered notes that the server answers: what it failed for before are single builds.
func (t *tolerance) answered() {
	for _, f := range t.inRow {
		t.c.unreadable(f.id, f.err)
	}
	t.inRow = nil
}

// ofServer reports whether the server has failed for several builds in a row.
func (t *tolerance) ofServer() bool { return len(t.inRow) >= maxServerErrors }

// failed notes that a build was not read or not stored. It returns the error if it is not of
// this build only. It is, if the server answers 4xx and does not refuse the credentials, if its
// answer cannot be used, if the inbox will never store it, or if the server fails for this one
// and not for several in a row. One that cannot be read may fail again, and so may one that has
// failed before if others are read.
func (t *tolerance) failed(ctx context.Context, id int64, err error, before bool) error {
	status, isStatus := errors.AsType[*StatusError](err)
	switch {
	case ctx.Err() != nil, errors.Is(err, ErrRateLimited), errors.Is(err, ErrDenied), errors.Is(err, ErrHost):
		return err
	case errors.Is(err, catchup.ErrInbox):
		if !webhook.IsPermanent(err) {
			return err
		}
	case isStatus && status.Code < 500, errors.Is(err, ErrAnswer), errors.Is(err, ErrTooLarge):
	case t.c.unread[id] != nil:
		t.again++
	case before && t.worked:
	default:
		if t.inRow = append(t.inRow, failedBuild{id, err}); t.ofServer() {
			return err
		}
		return nil
	}
	t.answered()
	t.c.unreadable(id, err)
	return nil
}
