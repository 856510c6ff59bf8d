package sqlinbox

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// batchLimit and batchBytes bound one transaction.
	batchLimit = 256
	batchBytes = 4 << 20
)

// A job waits for the writer. It is a delivery to put, or on a database with
// one writer any other work, which then shares the transaction.
type job struct {
	put    *entry
	work   func(ctx context.Context, s session) error
	result error    // set before done is closed
	ended  []string // UIDs that put superseded
	stored bool     // put is committed, whatever becomes of the rest of its batch
	done   chan struct{}
}

// reset forgets what a try before has decided.
func (j *job) reset() { j.result, j.ended, j.put.burst = nil, nil, 0 }

// A queue is served in order by a goroutine that lives while it is not empty.
type queue struct {
	mu      sync.Mutex
	waiting []*job
	running bool
	closed  bool
	idle    sync.Cond // of mu, signalled when the goroutine ends
}

// submit waits until the job is committed. When ctx ends, a job that no batch
// has taken is withdrawn; a put that one has taken goes on unwatched.
func (in *Inbox) submit(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan struct{})
	q := &in.queue
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.waiting = append(q.waiting, j)
	if !q.running {
		q.running = true
		go in.write()
	}
	q.mu.Unlock()
	select {
	case <-j.done:
		return j.result
	case <-ctx.Done():
	}
	if !q.withdraw(j) && j.put == nil {
		<-j.done // work has results that must not get lost
		return j.result
	}
	return ctx.Err()
}

func (q *queue) withdraw(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.Index(q.waiting, j)
	if at >= 0 {
		q.waiting = slices.Delete(q.waiting, at, at+1)
	}
	return at >= 0
}

// write takes what waits, commits it, and begins again. It adds no delay: while
// one batch is committed the next one gathers.
func (in *Inbox) write() {
	for {
		batch := in.queue.next()
		if batch == nil {
			return
		}
		in.commit(batch)
		// Work notifies by itself: a claim that finds nothing is no change.
		if slices.ContainsFunc(batch, func(j *job) bool { return j.put != nil }) {
			in.notify()
		}
	}
}

// next takes a batch, or ends the writer when nothing waits.
func (q *queue) next() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.waiting, q.running = nil, false
		if q.idle.L != nil {
			q.idle.Broadcast()
		}
		return nil
	}
	n, bytes := 0, 0
	for n < len(q.waiting) && n < batchLimit {
		bytes += q.waiting[n].put.size()
		if n > 0 && bytes > batchBytes {
			break
		}
		n++
	}
	batch := slices.Clone(q.waiting[:n])
	clear(q.waiting[:n])
	q.waiting = q.waiting[n:]
	return batch
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// stop refuses new jobs and waits for those that were taken in. It reports
// whether it was the first to do so.
func (q *queue) stop() (first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	first, q.closed = !q.closed, true
	q.idle.L = &q.mu
	for q.running {
		q.idle.Wait()
	}
	return first
}

// commit gives each job of the batch its result. When the batch fails because
// of one of them, each is tried alone, so that it does not fail the others.
func (in *Inbox) commit(batch []*job) {
	start := time.Now()
	shared, err := in.attempt(batch)
	in.Observe.batch(batch, time.Since(start), err)
	if err == nil || shared || len(batch) == 1 {
		finish(batch, err)
		return
	}
	held := make(map[keyed]error) // keys of transactions that do not end
	for i, j := range batch {
		if j.put != nil && held[j.put.keyed()] != nil {
			finish(batch[i:i+1], held[j.put.keyed()])
			continue
		}
		start := time.Now()
		shared, err := in.attempt(batch[i : i+1])
		in.Observe.batch(batch[i:i+1], time.Since(start), err)
		if shared {
			finish(batch[i:], err)
			return
		}
		if j.put != nil && j.put.delivery.Key != "" && isLockTimeout(err) {
			held[j.put.keyed()] = err
		}
		finish(batch[i:i+1], err)
	}
}

func finish(batch []*job, err error) {
	for _, j := range batch {
		switch {
		case j.stored:
			j.result = nil
		case err != nil:
			j.result, j.ended = err, nil
		}
		close(j.done)
	}
}

// attempt tries to commit the batch once, on a context that is no request's.
// Shared tells that the failure is not that of one job.
func (in *Inbox) attempt(batch []*job) (shared bool, err error) {
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
		err := again(ctx, func() error { return in.putPooled(ctx, batch) })
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
