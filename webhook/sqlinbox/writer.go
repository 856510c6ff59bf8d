package sqlinbox

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
)

const (
	// batchWait is how long a statement of PostgreSQL waits for a lock of another
	// transaction that it cannot skip: that of a dedup key which the other has inserted
	// and not yet committed. If a batch has waited so long without success, its halves,
	// and the jobs that then get a batch each, wait only for briefWait.
	batchWait = 50 * time.Millisecond
	briefWait = time.Millisecond
)

// A writer commits jobs in batches, one batch at a time, in a goroutine that lives
// while there are any.
type writer struct {
	host
	queue *jobQueue
	// tryCommit commits a batch or changes nothing, but for the jobs that it marks as
	// stored. After a conflict PostgreSQL tries up to ten times. Shared reports that all
	// jobs of the batch fail with err, not just one of them. On PostgreSQL, lockWait
	// bounds each wait for a lock of another transaction; SQLite has no such locks.
	tryCommit func(batch []*job, lockWait time.Duration) (shared bool, err error)
	// abandon rolls back the transaction that a batch left open, because a panic or the
	// end of the goroutine interrupted it.
	abandon func()
}

func newWriter(h host, tryCommit func([]*job, time.Duration) (bool, error), abandon func()) *writer {
	return &writer{host: h, queue: newJobQueue(), tryCommit: tryCommit, abandon: abandon}
}

// A job waits for the writer. It is a delivery to put or, on SQLite, any other work
// that writes, which then shares the transaction. A put was successful if its result
// is nil.
type job struct {
	put        *entry
	work       func(ctx context.Context, s session) error
	result     error    // set before done is closed
	superseded []string // UIDs of what put ended
	stored     bool     // put is committed, even if the rest of its batch fails
	leftOut    bool     // put is to be tried again: another transaction has locked, or deleted, what it needs
	alone      bool     // put is tried again in a batch of its own: there its lock wait, or its size, delays no other
	finished   bool     // done is closed
	done       chan struct{}
}

// reset drops what an earlier try has decided.
func (j *job) reset() { j.result, j.superseded, j.leftOut, j.put.burst = nil, nil, false, 0 }

// supersededUnless returns what the put of j has superseded, unless submit returned
// err because ctx ended: the writer may still have j.
func (j *job) supersededUnless(ctx context.Context, err error) []string {
	if err != nil && ctx.Err() != nil {
		return nil
	}
	return j.superseded
}

// submit waits until the job is committed. When ctx ends, a job that no batch
// has taken is withdrawn; a put that one has taken goes on unwatched.
func (w *writer) submit(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan struct{})
	first, err := w.queue.add(j)
	if err != nil {
		return err
	}
	if first {
		go w.run()
	}
	select {
	case <-j.done:
		return j.result
	case <-ctx.Done():
	}
	if !w.queue.withdraw(j) && j.put == nil {
		<-j.done // work has results that must not get lost
		return j.result
	}
	return ctx.Err()
}

// run takes what waits, commits it, and begins again. It adds no delay: while
// one batch is committed the next one gathers.
func (w *writer) run() {
	var batch []*job
	defer func() {
		if batch != nil { // something ended the goroutine, or panics
			w.giveUp(batch, recover())
			go w.run()
		}
	}()
	for {
		if batch = w.queue.next(); batch == nil {
			return
		}
		lockWait := batchWait
		if batch[0].alone {
			lockWait = briefWait
		}
		_ = w.commit(batch, lockWait) // each job has its own error
		// Work notifies by itself: a claim that finds nothing is no change.
		if slices.ContainsFunc(batch, func(j *job) bool { return j.put != nil && !j.leftOut }) {
			w.notify()
		}
	}
}

// giveUp answers the jobs of a batch that did not come to its end.
func (w *writer) giveUp(batch []*job, panicked any) {
	w.logger().Error("the writer of the inbox was ended", "reason", panicked, "stack", string(debug.Stack()))
	w.abandon()
	left := slices.DeleteFunc(slices.Clone(batch), func(j *job) bool { return j.finished })
	finish(left, fmt.Errorf("sqlinbox: the writer was ended: %v", panicked))
}

// commit gives each job of the batch its result. If the batch fails because of one
// of its jobs, commit tries the halves, so that this job does not fail the others. The
// error that commit returns would also fail jobs that are not in the batch; if it is
// nil, the jobs may still have failed, each by itself.
func (w *writer) commit(batch []*job, lockWait time.Duration) error {
	start := time.Now()
	shared, err := w.tryCommit(batch, lockWait)
	w.observer().batch(batch, time.Since(start), err)
	switch {
	case statement.IsStorageFault(err) && slices.ContainsFunc(batch, isPut):
		w.commitWithoutPuts(batch, err)
		return err
	case err == nil || shared:
		finish(batch, err)
		return err
	case len(batch) == 1:
		if j := batch[0]; j.put != nil && (statement.IsLockTimeout(err) || isConflict(err)) {
			j.leftOut, j.alone, err = true, true, fmt.Errorf("%w: %w", errLeftOut, err)
		}
		finish(batch, err)
		return nil
	}
	half := len(batch) / 2
	if err := w.commit(batch[:half], briefWait); err != nil {
		finish(batch[half:], err)
		return err
	}
	return w.commit(batch[half:], briefWait)
}

// commitWithoutPuts fails the puts of a batch with err, a storage fault, since all puts
// need the same: halving the batch would only repeat the failure. Work is tried without
// them, because it may need no room on the disk, and a sweep makes some.
func (w *writer) commitWithoutPuts(batch []*job, err error) {
	var puts, work []*job
	for _, j := range batch {
		if isPut(j) {
			puts = append(puts, j)
		} else {
			work = append(work, j)
		}
	}
	finish(puts, err)
	if len(work) > 0 {
		_ = w.commit(work, briefWait) // each job has its own error
	}
}

func isPut(j *job) bool { return j.put != nil }

// finish sets the results of jobs and lets their callers go on.
func finish(batch []*job, err error) {
	for _, j := range batch {
		switch {
		case j.stored:
			j.result = nil
		case err != nil:
			j.result, j.superseded = err, nil
		case j.leftOut:
			j.result, j.superseded = errLeftOut, nil
		}
		j.finished = true
		close(j.done)
	}
}
