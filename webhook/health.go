package webhook

import (
	"sync"
	"time"
)

// Health is how a [Worker] is at a moment.
type Health struct {
	// Running: Run has been called and has not returned.
	Running bool
	// Slots is Worker.Concurrency, InUse how many of them hold an attempt, Overdue
	// how many of those hold a callback that should have returned; see [Worker].
	Slots, InUse, Overdue int
	// Unsettled is how many of them hold work that is finished and that the inbox
	// has failed to settle for a Lease.
	Unsettled int
	// Suspects is how many claims wait until they can run alone.
	Suspects int
	// LastClaim is when the inbox last answered a claim, also with nothing.
	LastClaim time.Time
	// Waiting is for how long the Worker has wanted to claim and got no answer but
	// errors. It is zero while there is nothing that it wants to claim for: no free
	// slot, a suspect that runs alone, finished work that is not settled.
	Waiting time.Duration
	// LastError is the last failure to claim or to settle; nil if the inbox has
	// answered a claim since.
	LastError error
	// Lease is how long a claim is held. The inbox has so long to answer one.
	Lease time.Duration
}

// vitals are what a Worker notes for its Health.
type vitals struct {
	mu        sync.Mutex
	pool      *pool // while Run runs
	lastClaim time.Time
	wanting   time.Time // since when; zero if there is nothing that it waits for
	lastError error
}

// Health tells how the Worker is. It asks nobody, and may be called at any time.
// Before Run it is the zero value.
func (w *Worker) Health() Health {
	w.vitals.mu.Lock()
	defer w.vitals.mu.Unlock()
	v := &w.vitals
	h := Health{LastClaim: v.lastClaim, LastError: v.lastError}
	if v.pool == nil {
		return h
	}
	h.Running, h.Slots, h.Lease = true, cap(v.pool.slots), w.lease()
	h.Overdue, h.Suspects = v.pool.late.count(), v.pool.line.suspects()
	h.InUse, h.Unsettled = v.pool.inUse(), int(v.pool.unsettled.Load())
	if !v.wanting.IsZero() {
		h.Waiting = time.Since(v.wanting)
	}
	return h
}

func (w *Worker) begins(p *pool) {
	w.vitals.mu.Lock()
	defer w.vitals.mu.Unlock()
	w.vitals.pool, w.vitals.wanting = p, time.Time{}
}

func (w *Worker) ends() {
	w.vitals.mu.Lock()
	defer w.vitals.mu.Unlock()
	w.vitals.pool = nil
}

// wants notes that the Worker is about to ask for claims.
func (w *Worker) wants(now time.Time) {
	w.vitals.mu.Lock()
	defer w.vitals.mu.Unlock()
	if w.vitals.wanting.IsZero() {
		w.vitals.wanting = now
	}
}

// claimed notes that the inbox has answered.
func (w *Worker) claimed(now time.Time) {
	w.vitals.mu.Lock()
	defer w.vitals.mu.Unlock()
	w.vitals.lastClaim, w.vitals.wanting, w.vitals.lastError = now, time.Time{}, nil
}

// failed notes what the inbox could not do.
func (w *Worker) failed(err error) {
	w.vitals.mu.Lock()
	defer w.vitals.mu.Unlock()
	w.vitals.lastError = err
}
