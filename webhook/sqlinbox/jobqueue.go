package sqlinbox

import (
	"slices"
	"sync"
)

const (
	// batchLimit and batchBytes bound one batch: the number of its jobs, and the size in
	// bytes of its deliveries, of which the first may be larger.
	batchLimit = 256
	batchBytes = 4 << 20
)

// A jobQueue has the jobs that wait for the writer, whose goroutine runs while there are
// any. They are served in order, except those that are alone.
type jobQueue struct {
	closing chan struct{} // closed with the queue

	mu      sync.Mutex
	waiting []*job
	alone   []*job // each to be a batch of its own, between two of the others
	turn    bool   // the next batch is one of alone
	running bool
	closed  bool
	idle    *sync.Cond // of mu, signalled when the goroutine ends
}

func newJobQueue() *jobQueue {
	q := &jobQueue{closing: make(chan struct{})}
	q.idle = sync.NewCond(&q.mu)
	return q
}

// add reports whether the caller must start the goroutine.
func (q *jobQueue) add(j *job) (first bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, ErrClosed
	}
	if j.alone {
		q.alone = append(q.alone, j)
	} else {
		q.waiting = append(q.waiting, j)
	}
	first, q.running = !q.running, true
	return first, nil
}

// withdraw reports whether no batch has taken j.
func (q *jobQueue) withdraw(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, list := range []*[]*job{&q.waiting, &q.alone} {
		if at := slices.Index(*list, j); at >= 0 {
			*list = slices.Delete(*list, at, at+1)
			return true
		}
	}
	return false
}

// next takes a batch. If nothing waits it returns nil, and the writer's goroutine must
// end. Batches of one job that is alone and batches of the others take turns.
func (q *jobQueue) next() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn = len(q.alone) > 0 && (!q.turn || len(q.waiting) == 0)
	switch {
	case q.turn:
		return take(&q.alone, 1)
	case len(q.waiting) > 0:
		return take(&q.waiting, batchLimit)
	}
	q.waiting, q.alone, q.running = nil, nil, false
	q.idle.Broadcast()
	return nil
}

// take takes up to n from the front, within batchBytes where they are several.
func take(list *[]*job, n int) []*job {
	taken, bytes := 0, 0
	for taken < min(n, len(*list)) {
		bytes += (*list)[taken].put.size()
		if taken > 0 && bytes > batchBytes {
			break
		}
		taken++
	}
	batch := slices.Clone((*list)[:taken])
	clear((*list)[:taken])
	*list = (*list)[taken:]
	return batch
}

func (q *jobQueue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// stop refuses new jobs and waits for those that were taken in.
func (q *jobQueue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.closing)
	}
	for q.running {
		q.idle.Wait()
	}
}
