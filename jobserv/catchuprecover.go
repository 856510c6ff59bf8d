package jobserv

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// storedAtOnce is how many are stored before the progress is.
const storedAtOnce = 20

// A recovery gets the missing builds of a look into the inbox. A rate limit halts it between
// two of them.
type recovery struct {
	c     *CatchUp
	at    *position
	found lookResult

	queue  []missingBuild // not tried yet
	failed []missingBuild // tried, and not in the inbox
	stored int            // builds that were missing and are in the inbox
	t      tolerance
	again  []int64 // builds that run again
}

// newRecovery returns a recovery of what a look has found. Those that were tried the least
// come first, and then those that were completed first, so that some which cannot be had do
// not hold up the others.
func newRecovery(s *sight) *recovery {
	r := &recovery{c: s.c, at: s.at, found: s.found, queue: slices.Clone(s.found.missing), t: tolerance{c: s.c}}
	slices.SortStableFunc(r.queue, func(a, b missingBuild) int {
		return cmp.Compare(r.c.open[a.key].tries, r.c.open[b.key].tries)
	})
	return r
}

// run reads and stores what is missing.
func (r *recovery) run(ctx context.Context) error {
	for n := 1; len(r.queue) > 0; n++ {
		if err := r.try(ctx, r.queue[0]); err != nil {
			return err
		}
		r.queue = r.queue[1:]
		r.c.noteOpen()
		if n%storedAtOnce == 0 {
			if err := r.save(ctx); err != nil {
				return err
			}
		}
	}
	r.t.answered()
	return r.save(ctx)
}

// try reads one and stores it. It returns the errors that the next one would meet too.
func (r *recovery) try(ctx context.Context, m missingBuild) error {
	if r.t.skips(m.id) {
		r.failed = append(r.failed, m)
		return nil
	}
	d, err := r.c.fetch(ctx, m)
	isNew := false
	if err == nil {
		isNew, err = catchup.Put(ctx, r.c.inbox, d)
	}
	switch {
	case err == nil:
		r.t.read(m.id)
		r.put(m, d, isNew)
		return nil
	case errors.Is(err, errRunsAgain):
		r.t.read(m.id)
		r.again = append(r.again, m.id)
		r.c.lost(m)
		return nil
	case errors.Is(err, ErrRateLimited):
		return err
	}
	o := r.c.open[m.key]
	o.tries++
	if err := r.t.failed(ctx, m.id, err, o.tries > 1); err != nil {
		return err
	}
	r.failed = append(r.failed, m)
	return nil
}

// put notes that a build is in the inbox. If it was completed again since it was listed, the
// completion that was missing is lost and the other one is stored.
func (r *recovery) put(m missingBuild, d *webhook.Delivery, isNew bool) {
	r.stored++
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
