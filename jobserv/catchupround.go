package jobserv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
)

// maxMissing bounds the missing builds that one round handles. Another round follows for the
// others.
const maxMissing = 10_000

// An openBuild is a completion that was found missing and is neither settled nor lost.
type openBuild struct {
	missingBuild
	tries int // readings that failed
}

// A halt is what a rate limit has halted. The next round goes on with it.
type halt struct {
	sight    *sight
	recovery *recovery
}

// errBeside means that a look was completed and the server fails for builds.
var errBeside = errors.New("builds cannot be read")

// round looks once, and catches up what is missing. It returns the time until the next round
// is due, zero if only Every or a Look makes one.
func (c *CatchUp) round(ctx context.Context) (time.Duration, error) {
	r, halted := c.halted.recovery, c.halted.recovery != nil
	c.halted.recovery = nil
	if !halted {
		s, err := c.look(ctx)
		if err != nil {
			return 0, err
		}
		c.status.Change(func(st *CatchUpStatus) {
			st.Looks, st.Looked, st.Running = st.Looks+1, time.Now(), len(s.found.running)
		})
		if err := c.noteGone(ctx, s.found); err != nil {
			return 0, err
		}
		c.noteMissing(s.found)
		r = newRecovery(s)
	}
	if err := r.run(ctx); err != nil {
		if errors.Is(err, ErrRateLimited) {
			c.halted.recovery = r
		}
		return 0, beside(errors.Join(err, r.save(ctx)))
	}
	c.forgetUnread(r)
	if r.found.err != nil {
		return 0, beside(r.found.err)
	}
	return r.wait(halted), nil
}

// beside returns an error that does not hold up the next look, if it is one of the server.
func beside(err error) error {
	for _, kind := range []error{ErrRateLimited, ErrDenied, ErrHost, catchup.ErrInbox} {
		if errors.Is(err, kind) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", errBeside, err)
}

// wait returns the time until the next round. After a halt it is at once: the look was a
// while ago. Builds that cannot be read hold up no look at an interval.
func (r *recovery) wait(halted bool) time.Duration {
	wait := r.c.untilDue()
	switch turn := r.c.loop.UntilTurn(); {
	case halted, r.found.more && r.stored > 0:
		wait = time.Nanosecond
	case r.found.more && wait == 0:
		wait = catchup.Idle(1)
	case turn > 0:
		wait = min(wait, turn) // zero: there are no such builds
	}
	if r.found.called && (wait == 0 || wait > callTime) {
		wait = callTime
	}
	return wait
}

// forgetUnread forgets what is not open any more.
func (c *CatchUp) forgetUnread(r *recovery) {
	left := make(map[int64]*unreadBuild)
	keep := func(id int64) {
		if u := c.unread[id]; u != nil {
			left[id] = u
		}
	}
	for _, id := range r.found.running {
		keep(id)
	}
	for _, m := range r.failed {
		keep(m.id)
	}
	c.unread = left
}
