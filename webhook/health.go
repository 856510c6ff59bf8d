package webhook

import (
	"sync"
	"time"
)

// Health is the state of a [Worker] at one moment.
type Health struct {
	// Running is true while Run or Drain runs.
	Running bool
	// Slots is the number of attempts that there can be at once: Worker.Concurrency, or
	// less if each type has a [Policy] with a Concurrency. InUse is the number of slots with
	// an attempt, and Overdue how many of those hold a callback that should have returned;
	// see [Worker].
	Slots, InUse, Overdue int
	// Types has the types with a [Policy] that sets Concurrency. It is nil if there are
	// none.
	Types map[string]TypeHealth
	// Unsettled is the number of slots with finished work that the inbox has failed to
	// settle for one Lease.
	Unsettled int
	// Suspects is the number of claims that wait until they can run alone.
	Suspects int
	// LastClaim is when the inbox last answered a Claim, even with no deliveries.
	LastClaim time.Time
	// Waiting is how long the Worker has tried to claim and has got only errors, or no
	// answer. It is zero while the Worker does not try, because no slot is free, a
	// suspect runs alone, or finished work is not settled.
	Waiting time.Duration
	// LastError is the last failure to claim or to settle, nil if the inbox has
	// answered a Claim since.
	LastError error
	// Lease is the duration of a claim. It is also the time that the inbox has to
	// answer a Claim.
	Lease time.Duration
}

// TypeHealth is the state of the slots of one type. If Overdue equals Slots, the Worker
// claims nothing of the type until a callback returns.
type TypeHealth struct {
	// Slots is Policy.Concurrency. InUse and Overdue are as in [Health].
	Slots, InUse, Overdue int
}

// A healthRecord is what a Worker records for its Health.
type healthRecord struct {
	mu            sync.Mutex
	pool          *pool // nil unless Run runs
	lastClaim     time.Time
	claimingSince time.Time // zero if the Worker does not try to claim
	lastError     error
}

// Health returns the state of the Worker. It does not call the inbox. It is safe for
// concurrent use. Before the first Run it returns the zero value. The caller owns the
// result.
func (w *Worker) Health() Health {
	r := &w.health
	r.mu.Lock()
	defer r.mu.Unlock()
	h := Health{LastClaim: r.lastClaim, LastError: r.lastError}
	if r.pool == nil {
		return h
	}
	h.Running, h.Slots, h.Lease = true, cap(r.pool.slots), w.lease()
	h.Overdue, h.Suspects = r.pool.overdue.count(), r.pool.line.suspects()
	h.InUse, h.Unsettled = r.pool.inUse(), int(r.pool.unsettled.Load())
	h.Types = r.pool.typeHealth()
	if !r.claimingSince.IsZero() {
		h.Waiting = time.Since(r.claimingSince)
	}
	return h
}

// recordRun records that Run or Drain begins. It reports false if another one has not
// returned.
func (w *Worker) recordRun(p *pool) bool {
	w.health.mu.Lock()
	defer w.health.mu.Unlock()
	if w.health.pool != nil {
		return false
	}
	w.health.pool, w.health.claimingSince = p, time.Time{}
	return true
}

// recordEnd records that Run or Drain returns.
func (w *Worker) recordEnd() {
	w.health.mu.Lock()
	defer w.health.mu.Unlock()
	w.health.pool = nil
}

// recordClaiming records that the Worker is about to claim.
func (w *Worker) recordClaiming(now time.Time) {
	w.health.mu.Lock()
	defer w.health.mu.Unlock()
	if w.health.claimingSince.IsZero() {
		w.health.claimingSince = now
	}
}

// recordClaimed records that the inbox has answered a Claim.
func (w *Worker) recordClaimed(now time.Time) {
	w.health.mu.Lock()
	defer w.health.mu.Unlock()
	w.health.lastClaim, w.health.claimingSince, w.health.lastError = now, time.Time{}, nil
}

// recordFailure records an error of the inbox.
func (w *Worker) recordFailure(err error) {
	w.health.mu.Lock()
	defer w.health.mu.Unlock()
	w.health.lastError = err
}

// typeHealth returns the state of the types with slots of their own, nil if there are
// none.
func (p *pool) typeHealth() map[string]TypeHealth {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.types.slots) == 0 {
		return nil
	}
	types := make(map[string]TypeHealth, len(p.types.slots))
	for typ, slots := range p.types.slots {
		types[typ] = TypeHealth{Slots: slots, InUse: p.types.inUse[typ], Overdue: p.overdue.ofType(typ)}
	}
	return types
}
