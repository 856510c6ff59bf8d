package sqlinbox

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// A job waits for the writer. It is a delivery to put, or on a database with
// one writer any other work, which then shares the transaction.
type job struct {
	put    *entry
	work   func(ctx context.Context, s session) error
	result error    // set before done is closed
	ended  []string // UIDs that put superseded
	stored bool     // put is committed, whatever becomes of the rest of its batch
	held   bool     // put was left out: another transaction has what it needs
	alone  bool     // put gets a batch of its own: it was held, and by waiting or by its size would delay others
	over   bool     // done is closed
	done   chan struct{}
}

// reset forgets what a try before has decided.
func (j *job) reset() { j.result, j.ended, j.held, j.put.burst = nil, nil, false, 0 }

// submit waits until the job is committed. When ctx ends, a job that no batch
// has taken is withdrawn; a put that one has taken goes on unwatched.
func (in *Inbox) submit(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan struct{})
	first, err := in.queue.add(j)
	if err != nil {
		return err
	}
	if first {
		go in.write()
	}
	select {
	case <-j.done:
		return j.result
	case <-ctx.Done():
	}
	if !in.queue.withdraw(j) && j.put == nil {
		<-j.done // work has results that must not get lost
		return j.result
	}
	return ctx.Err()
}

// write takes what waits, commits it, and begins again. It adds no delay: while
// one batch is committed the next one gathers.
func (in *Inbox) write() {
	var batch []*job
	defer func() {
		if batch != nil { // something ended the goroutine, or panics
			in.abandon(batch, recover())
			go in.write()
		}
	}()
	for {
		if batch = in.queue.next(); batch == nil {
			return
		}
		in.commit(batch)
		// Work notifies by itself: a claim that finds nothing is no change.
		if slices.ContainsFunc(batch, func(j *job) bool { return j.put != nil && !j.held }) {
			in.notify()
		}
	}
}

// abandon answers the jobs of a batch that did not come to its end, and gives up
// the connection, on which a transaction may be open.
func (in *Inbox) abandon(batch []*job, panicked any) {
	in.logger().Error("the writer of the inbox was ended", "reason", panicked, "stack", string(debug.Stack()))
	if p := in.pin; p != nil {
		in.pin = nil
		_, _ = p.conn.ExecContext(context.Background(), "ROLLBACK")
		go p.discard() // waits for what the driver left open
	}
	left := slices.DeleteFunc(slices.Clone(batch), func(j *job) bool { return j.over })
	finish(left, fmt.Errorf("sqlinbox: the writer was ended: %v", panicked))
}

// commit gives each job of the batch its result.
func (in *Inbox) commit(batch []*job) {
	wait := batchWait
	if batch[0].alone {
		wait = briefWait
	}
	_ = in.commitParts(batch, wait) // each job has its own
}

// commitParts commits the batch. When it fails because of one of its jobs, its
// halves are tried, so that it does not fail the others. The error is returned
// that fails all others, too.
func (in *Inbox) commitParts(batch []*job, wait time.Duration) error {
	start := time.Now()
	shared, err := in.attempt(batch, wait)
	in.Observer.batch(batch, time.Since(start), err)
	switch {
	case err == nil || shared:
		finish(batch, err)
		return err
	case len(batch) == 1:
		if j := batch[0]; j.put != nil && (isLockTimeout(err) || isConflict(err)) {
			j.held, j.alone, err = true, true, fmt.Errorf("%w: %w", errHeld, err)
		}
		finish(batch, err)
		return nil
	}
	half := len(batch) / 2
	if err := in.commitParts(batch[:half], briefWait); err != nil {
		finish(batch[half:], err)
		return err
	}
	return in.commitParts(batch[half:], briefWait)
}

func finish(batch []*job, err error) {
	for _, j := range batch {
		switch {
		case j.stored:
			j.result = nil
		case err != nil:
			j.result, j.ended = err, nil
		case j.held:
			j.result, j.ended = errHeld, nil
		}
		j.over = true
		close(j.done)
	}
}

// attempt tries to commit the batch once, on a context that is no request's.
// Shared tells that the failure is not that of one job.
func (in *Inbox) attempt(batch []*job, wait time.Duration) (shared bool, err error) {
	ctx := context.Background()
	if in.dialect.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, in.dialect.patience)
		defer cancel()
	}
	if !in.dialect.pinned {
		if err := in.ready(ctx); err != nil {
			return true, err
		}
		if in.inVain(ctx, batch[0]) {
			return false, nil
		}
		err := again(ctx, func() error { return in.putPooled(ctx, batch, lockTimeout(wait)) })
		return err != nil && !isRowsFault(err), err
	}
	p, err := in.pinConn(ctx)
	if err != nil {
		return true, err
	}
	if err := in.turn.takeSoon(); err != nil {
		return true, err
	}
	defer in.turn.give()
	return in.inTransaction(ctx, p, func(s session) error {
		if err := in.putEach(ctx, s, batch); err != nil {
			return err
		}
		for _, j := range batch {
			if j.work != nil {
				if err := j.work(ctx, s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
