package webhook

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A pool is one Run of a Worker: its slots and the attempts in progress.
type pool struct {
	*Worker
	due           *dueWork                // of Drain; nil for Run
	by            string                  // who claims
	endRun        context.CancelCauseFunc // ends claiming, and so Run
	slots         chan struct{}           // has one element for each attempt in progress
	line          lineup
	overdue       overdueCallbacks
	unsettled     atomic.Int64 // attempts that the inbox has failed to settle for a lease
	changedErrors logLimit

	startMu sync.Mutex
	closed  bool // no further attempts start; guarded by startMu

	abandoned context.Context // ends when Run no longer waits for attempts
	detach    context.CancelFunc

	wake chan struct{} // has an element if claimUntil need not wait any longer

	mu          sync.Mutex
	types       *typeSlots
	running     map[*attempt]struct{}
	runReturned bool           // Run has returned
	openClaims  sync.WaitGroup // claims that have not ended
	attempts    sync.WaitGroup // attempts in progress
}

// newPool returns a pool for a Handler with the given types.
func newPool(w *Worker, types []string, runCtx context.Context, endRun context.CancelCauseFunc) *pool {
	typeSlots := newTypeSlots(types, w.Types)
	p := &pool{
		Worker:  w,
		by:      w.name(),
		endRun:  endRun,
		slots:   make(chan struct{}, typeSlots.usable(w.concurrency())),
		wake:    make(chan struct{}, 1),
		types:   typeSlots,
		running: make(map[*attempt]struct{}),
	}
	p.overdue.init(p)
	p.abandoned, p.detach = context.WithCancel(context.WithoutCancel(runCtx))
	return p
}

// stopStarting waits until claiming has ended, but not long for an inbox that ignores
// the end of its context. What that inbox claims later does not run.
func (p *pool) stopStarting(claimingEnded <-chan struct{}) {
	limit := time.NewTimer(p.claimGrace() + drainGrace)
	defer limit.Stop()
	select {
	case <-claimingEnded:
	case <-limit.C:
	}
	p.startMu.Lock()
	defer p.startMu.Unlock()
	p.closed = true
}

// acquire waits until a slot is free and the lineup allows claiming. It acquires all
// free slots and returns their number. It reports false when ctx has ended.
func (p *pool) acquire(ctx context.Context) (n int, ok bool) {
	select {
	case <-ctx.Done():
		return 0, false
	case p.slots <- struct{}{}:
	}
	for blocked := p.line.claimingBlocked(); blocked != nil; blocked = p.line.claimingBlocked() {
		select {
		case <-ctx.Done():
			p.release(1)
			return 0, false
		case <-blocked:
		}
	}
	if ctx.Err() != nil { // both cases of a select were ready
		p.release(1)
		return 0, false
	}
	for n = 1; n < cap(p.slots); n++ {
		select {
		case p.slots <- struct{}{}:
		default:
			return n, true
		}
	}
	return n, true
}

func (p *pool) release(n int) {
	for range n {
		<-p.slots
	}
}

// start starts an attempt for each of the claims of one call. They were requested at
// requested, and each has a slot.
func (p *pool) start(ctx, runCtx context.Context, claims []Claim, requested time.Time) {
	p.startMu.Lock()
	defer p.startMu.Unlock()
	if p.closed {
		return
	}
	policies := make([]policy, len(claims))
	suspects, alone := make([]bool, len(claims)), make([]bool, len(claims))
	for i, c := range claims {
		policies[i] = p.policyOf(c.Delivery.Type)
		suspects[i] = c.Suspect && !policies[i].isExhausted(c)
		alone[i] = suspects[i] && !p.SuspectsRunTogether
	}
	places := p.line.enter(claims, alone)
	for i := range claims {
		c := &claims[i]
		a := &attempt{pool: p, runCtx: runCtx, place: places[i], lease: newLeaseKeeper(p.inbox, *c, p.lease(), requested)}
		a.current.Store(c)
		a.typ, a.policy, a.suspect = c.Delivery.Type, policies[i], suspects[i]
		c.Last = a.policy.isLast(*c)
		p.openClaims.Add(1)
		p.mu.Lock()
		p.types.acquire(a.typ)
		p.running[a] = struct{}{}
		p.mu.Unlock()
		p.attempts.Go(func() {
			defer p.remove(a)
			defer a.recoverGoexit()
			a.run(ctx, runCtx)
		})
	}
}

// remove removes an attempt that has ended, and releases its slots.
func (p *pool) remove(a *attempt) {
	p.mu.Lock()
	delete(p.running, a)
	wasFull := p.types.release(a.typ)
	last := p.runReturned && len(p.running) == 0
	p.mu.Unlock()
	if last {
		pools.remove(p)
	}
	p.line.leave(a.place)
	p.release(1)
	if wasFull || p.due != nil {
		p.wakeClaiming()
	}
}

// wakeClaiming lets claimUntil claim without waiting for a signal of the inbox.
func (p *pool) wakeClaiming() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// inUse returns the number of attempts in progress.
func (p *pool) inUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)
}
