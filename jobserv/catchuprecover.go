package jobserv

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// storedAtOnce is how many are stored before the progress is.
	storedAtOnce = 20
	// maxServerErrors is how many builds in a row the server may fail to answer for, before it
	// is the server that fails and not these builds.
	maxServerErrors = 3
)

// A recovery gets the missing builds of a look into the inbox.
type recovery struct {
	c     *CatchUp
	at    *position
	found lookResult

	queue   []missingBuild // not tried yet
	failed  []missingBuild // tried, and not in the inbox
	settled int
	t       tolerance
	again   []int64 // builds that run again
}

// run reads and stores what is missing. Those that were tried the least come first, and then
// those that were completed first, so that some which cannot be had do not hold up the others.
func (r *recovery) run(ctx context.Context) error {
	r.queue = slices.Clone(r.queue)
	slices.SortStableFunc(r.queue, func(a, b missingBuild) int {
		return cmp.Compare(r.c.open[a.key].tries, r.c.open[b.key].tries)
	})
	for n := 1; len(r.queue) > 0; n++ {
		if err := r.try(ctx, r.queue[0]); err != nil {
			return err
		}
		r.queue = r.queue[1:]
		r.c.status.Change(func(s *CatchUpStatus) { s.Missing = len(r.queue) + len(r.failed) })
		if n%storedAtOnce == 0 {
			if err := r.save(ctx); err != nil {
				return err
			}
		}
	}
	return r.save(ctx)
}

// try reads one and stores it. It returns the errors that the next one would meet too. One
// that is of this one only is logged, once.
func (r *recovery) try(ctx context.Context, m missingBuild) error {
	d, err := r.c.fetch(ctx, m)
	isNew := false
	if err == nil {
		isNew, err = catchup.Put(ctx, r.c.inbox, d)
	}
	single := r.t.ofOne(ctx, err)
	switch {
	case err == nil:
		r.stored(m, d, isNew)
		return nil
	case errors.Is(err, errRunsAgain):
		r.again = append(r.again, m.id)
		r.c.lost(m)
		return nil
	}
	open := r.c.open[m.key]
	open.tries++
	if !single {
		return err
	}
	if open.tries == 1 && !r.c.loop.Logged(err) {
		r.c.logger().Warn("a missing build cannot be had, and is tried again", "project", r.c.project, "build", m.id, "reason", err)
	}
	r.failed = append(r.failed, m)
	return nil
}

// stored notes that a build is in the inbox. If it was completed again since it was listed,
// the completion that was missing is lost and the other one is stored.
func (r *recovery) stored(m missingBuild, d *webhook.Delivery, isNew bool) {
	r.settled++
	if isNew {
		r.c.status.Change(func(s *CatchUpStatus) { s.Stored++ })
	}
	switch {
	case len(d.DedupKeys) > 0 && d.DedupKeys[0] != m.key:
		r.c.lost(m)
		return
	case !isNew:
		r.c.same[m.key] = true // its dedup key may be known or not
	}
	r.c.settled(m)
}

// A tolerance tells the failure of the server from that of single builds. The zero value is
// ready.
type tolerance struct{ inRow int } // errors of the server since the last answer

// ofOne reports whether an error is one of a single build: the server answered 4xx and does
// not refuse the credentials, or its answer cannot be used, or the inbox will never store it,
// or the server failed for this one and not for several in a row.
func (t *tolerance) ofOne(ctx context.Context, err error) bool {
	if errors.Is(err, ErrServer) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		t.inRow++
		return t.inRow < maxServerErrors
	}
	t.inRow = 0
	status, isStatus := errors.AsType[*StatusError](err)
	switch {
	case errors.Is(err, ErrRateLimited), errors.Is(err, ErrDenied):
		return false
	case errors.Is(err, catchup.ErrInbox):
		return webhook.IsPermanent(err)
	default:
		return isStatus && status.Code < 500 || errors.Is(err, ErrAnswer) || errors.Is(err, ErrTooLarge)
	}
}

// save keeps the progress: the newest build, and those that are not settled.
func (r *recovery) save(ctx context.Context) error {
	open := slices.Concat(r.found.running, r.again)
	for _, list := range [][]missingBuild{r.queue, r.failed} {
		for _, m := range list {
			open = append(open, m.id)
		}
	}
	return r.c.savePosition(ctx, r.at, r.at.moved(max(r.found.newest, r.at.upto), r.found.beyond, open))
}
