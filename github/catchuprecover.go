package github

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// askedAtOnce is how many are asked for before the inbox is asked which have arrived.
	askedAtOnce = 20
	// maxSilent is how many are asked for without an arrival. Then the receiver may be out of
	// GitHub's reach, and each redelivery counts against the rate limit.
	maxSilent = 2 * askedAtOnce
	// probes is how many are asked for when those of the last round did not arrive.
	probes = 5
	// GitHub makes a call again within seconds.
	arrivalCheck = 2 * time.Second
	arrivalWait  = 30 * time.Second
)

// unsignedReason is the Unsigned of what was read from the API.
const unsignedReason = "read from GitHub's API, where the body is encoded anew"

// A recovery gets the missing deliveries of a look into the inbox.
type recovery struct {
	c     *CatchUp
	at    *position
	found lookResult

	queue []missingCall // not asked for yet
	asked []missingCall // asked for, and not in the inbox

	silent   int  // asked for since the last arrival
	had      bool // one was asked for or read
	notFound int  // that the API answered 404
}

// open returns how many are not in the inbox.
func (r *recovery) open() int { return len(r.queue) + len(r.asked) }

// run asks for what is missing, or reads it. Those that were tried the least come first, and
// then the oldest, so that some which cannot be had do not hold up the others.
func (r *recovery) run(ctx context.Context) error {
	r.queue = slices.Clone(r.found.missing)
	slices.SortStableFunc(r.queue, func(a, b missingCall) int {
		return cmp.Compare(r.c.open[a.guid].tries, r.c.open[b.guid].tries)
	})
	most := len(r.queue)
	if r.c.idle > 0 && !r.c.ReadAPI {
		most = min(most, probes)
	}
	for most > 0 && (r.silent < maxSilent || r.c.ReadAPI) {
		n := min(most, askedAtOnce)
		if err := r.batch(ctx, n); err != nil {
			return err
		}
		most -= n
	}
	for until := time.Now().Add(arrivalWait); len(r.asked) > 0 && !r.c.ReadAPI && time.Now().Before(until); {
		if err := catchup.Sleep(ctx, arrivalCheck); err != nil {
			return err
		}
		if err := r.check(ctx); err != nil {
			return err
		}
	}
	if !r.c.ReadAPI {
		if err := r.compare(ctx); err != nil {
			return err
		}
	}
	return r.save(ctx)
}

// batch tries the first n of the queue, and keeps the progress.
func (r *recovery) batch(ctx context.Context, n int) error {
	for range n {
		m := r.queue[0]
		inInbox, err := r.try(ctx, m)
		if err != nil {
			// If it is of this one after all, the others come before it in the next round.
			r.c.open[m.guid].tries++
			return err
		}
		r.queue = r.queue[1:]
		r.c.open[m.guid].tries++
		if inInbox {
			r.c.settled(m)
		} else {
			r.asked = append(r.asked, m)
		}
	}
	r.silent += n
	if err := r.check(ctx); err != nil {
		return err
	}
	return r.save(ctx)
}

// try asks for one or reads it, and reports whether it is in the inbox. It returns the
// errors that the next one would meet too. One that is of this one only is logged, once.
func (r *recovery) try(ctx context.Context, m missingCall) (inInbox bool, err error) {
	if r.c.ReadAPI {
		inInbox, err = r.read(ctx, m)
	} else if err = r.c.client.redeliver(ctx, r.c.hook, m.id); err == nil {
		r.c.status.Change(func(s *CatchUpStatus) { s.Asked++ })
	}
	if err == nil || !isOfOne(err) {
		r.had = r.had || err == nil
		return inInbox, err
	}
	if r.c.open[m.guid].tries == 0 && !r.c.loop.Logged(err) {
		r.c.logger().Warn("a missing delivery cannot be had, and is tried again", "hook", r.c.hook, "guid", m.guid, "event", m.event, "reason", err)
	}
	if errors.Is(err, ErrHookNotFound) && r.allNotFound() {
		return false, err
	}
	return false, nil
}

// allNotFound counts a 404, and reports whether the first ones of the round all got it. The
// look has just listed them: the credentials allow to read the list and no more.
func (r *recovery) allNotFound() bool {
	r.notFound++
	return !r.had && r.notFound >= min(probes, len(r.found.missing))
}

// isOfOne reports whether an error is one of a single delivery: the API answered 4xx and
// does not refuse the credentials, or its answer cannot be used, or the inbox will never
// store it.
func isOfOne(err error) bool {
	var status *StatusError
	switch {
	case errors.As(err, &status):
		return status.Code < 500 && !errors.Is(err, ErrDenied)
	case errors.Is(err, catchup.ErrInbox):
		return webhook.IsPermanent(err)
	default:
		return errors.Is(err, ErrAnswer) || errors.Is(err, ErrTooLarge)
	}
}

// read reads a delivery from the API and stores it.
func (r *recovery) read(ctx context.Context, m missingCall) (stored bool, err error) {
	d, err := r.c.fetch(ctx, m)
	if err != nil {
		return false, err
	}
	isNew, err := catchup.Put(ctx, r.c.inbox, d)
	if err != nil {
		return false, err
	}
	if isNew {
		r.c.status.Change(func(s *CatchUpStatus) { s.Stored++ })
	} else {
		r.c.same[m.guid] = true // its GUID may be known or not
	}
	return true, nil
}

// check ends those that have arrived.
func (r *recovery) check(ctx context.Context) (err error) {
	left, err := r.c.unknown(ctx, r.asked)
	if err == nil {
		if len(left) < len(r.asked) {
			r.silent = 0
		}
		r.asked = left
		r.c.status.Change(func(s *CatchUpStatus) { s.Missing = r.open() })
	}
	return err
}

// save keeps the progress: the time before the oldest that is not in the inbox.
func (r *recovery) save(ctx context.Context) error {
	upto := r.found.newest
	oldest := r.found.beyond
	for _, list := range [][]missingCall{r.queue, r.asked} {
		for _, m := range list {
			oldest = earlier(oldest, m.first)
		}
	}
	if !oldest.IsZero() && !oldest.After(upto) {
		upto = oldest.Add(-1)
	}
	return r.c.savePosition(ctx, r.at, upto)
}
