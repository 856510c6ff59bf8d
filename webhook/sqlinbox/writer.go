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
	// batchWait is how long a batch waits for what it cannot pass by: a dedup key
	// that another transaction is about to store. Once it has waited in vain its
	// parts do so for briefWait.
	batchWait = 50 * time.Millisecond
	briefWait = time.Millisecond
)

// A writer commits jobs in batches, one batch at a time, in a goroutine that lives
// while there are any.
type writer struct {
	host
	queue *queue
	// tryCommit tries to commit a batch once. Shared reports that the failure is not
	// that of one job. It waits for other transactions for no longer than wait.
	tryCommit func(batch []*job, wait time.Duration) (shared bool, err error)
	// abandon gives up what a batch left open that did not come to its end.
	abandon func()
}

func newWriter(h host, tryCommit func([]*job, time.Duration) (bool, error), abandon func()) *writer {
	return &writer{host: h, queue: newQueue(), tryCommit: tryCommit, abandon: abandon}
}

// A job waits for the writer. It is a delivery to put, or on a database with
// one writer any other work, which then shares the transaction.
type job struct {
	put        *entry
	work       func(ctx context.Context, s session) error
	result     error    // set before done is closed
	superseded []string // UIDs of what put ended
	stored     bool     // put is committed, whatever becomes of the rest of its batch
	locked     bool     // put was left out: another transaction has what it needs
	alone      bool     // put gets a batch of its own: it was locked out, and by waiting or by its size would delay others
	finished   bool     // done is closed
	done       chan struct{}
}

// reset drops what an earlier try has decided.
func (j *job) reset() { j.result, j.superseded, j.locked, j.put.burst = nil, nil, false, 0 }

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
		wait := batchWait
		if batch[0].alone {
			wait = briefWait
		}
		_ = w.commit(batch, wait) // each job has its own
		// Work notifies by itself: a claim that finds nothing is no change.
		if slices.ContainsFunc(batch, func(j *job) bool { return j.put != nil && !j.locked }) {
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

// commit gives each job of the batch its result. When the batch fails because of
// one of its jobs, its halves are tried, so that it does not fail the others. The
// error is returned that fails all others, too.
func (w *writer) commit(batch []*job, wait time.Duration) error {
	start := time.Now()
	shared, err := w.tryCommit(batch, wait)
	w.observer().batch(batch, time.Since(start), err)
	switch {
	case err == nil || shared:
		finish(batch, err)
		return err
	case len(batch) == 1:
		if j := batch[0]; j.put != nil && (statement.IsLockTimeout(err) || isConflict(err)) {
			j.locked, j.alone, err = true, true, fmt.Errorf("%w: %w", errKeyLocked, err)
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

func finish(batch []*job, err error) {
	for _, j := range batch {
		switch {
		case j.stored:
			j.result = nil
		case err != nil:
			j.result, j.superseded = err, nil
		case j.locked:
			j.result, j.superseded = errKeyLocked, nil
		}
		j.finished = true
		close(j.done)
	}
}
