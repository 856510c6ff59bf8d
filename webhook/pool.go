package webhook

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// A pool is one Run of a Worker: its slots and the attempts in progress.
type pool struct {
	*Worker
	policy        retryPolicy
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

	mu          sync.Mutex
	running     map[*attempt]struct{}
	runReturned bool           // Run has returned
	openClaims  sync.WaitGroup // claims that have not ended
	attempts    sync.WaitGroup // attempts in progress
}

func newPool(w *Worker, runCtx context.Context, endRun context.CancelCauseFunc) *pool {
	p := &pool{
		Worker:  w,
		policy:  retryPolicy{backoff: w.Retry, maxAttempts: w.maxAttempts(), outOfOrder: w.RetryOutOfOrder},
		endRun:  endRun,
		slots:   make(chan struct{}, w.concurrency()),
		running: make(map[*attempt]struct{}),
	}
	p.overdue.pool = p
	p.abandoned, p.detach = context.WithCancel(context.WithoutCancel(runCtx))
	return p
}

// claimUntil claims a delivery for each free slot, until ctx ends. The Handlers run
// with runCtx.
func (p *pool) claimUntil(ctx, runCtx context.Context, types []string) {
	pause, by := p.pollInterval(), p.name()
	for {
		// Get the signal first, so that no later change is missed.
		changed, err := p.inbox.changed()
		if err != nil {
			p.logChangedError(err)
		}
		free, ok := p.acquire(ctx)
		if !ok {
			return
		}
		start := time.Now()
		p.recordClaiming(start)
		claims, err := p.claim(ctx, ClaimOptions{N: free, Lease: p.lease(), Types: types, Except: pools.uncertain(p.inbox.identity()), By: by})
		p.start(ctx, runCtx, claims, start)
		p.release(free - len(claims))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.recordFailure(err)
			p.logger().Error("claim failed", "reason", err)
			pause = min(pause*2, longestPause)
			changed = nil
		default:
			p.recordClaimed(time.Now())
			pause = p.pollInterval()
			if len(claims) == free || bodyBytes(claims) >= limit.ClaimBytes/8 {
				continue // there may be more
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// logChangedError logs, at intervals, that the inbox's Changed failed.
func (p *pool) logChangedError(err error) {
	if held, ok := p.changedErrors.allow("", overdueEvery); ok {
		p.logger().Error("inbox cannot notify and is polled", "reason", err, "unlogged", held)
	}
}

// bodyBytes returns the total size of the bodies. If it is large, the limit of
// ClaimOptions.MaxBytes may have ended the claim, and there may be more deliveries.
func bodyBytes(claims []Claim) (size int) {
	for _, c := range claims {
		size += len(c.Delivery.Body)
	}
	return size
}

// claim asks the inbox for claims and waits at most one lease: later the claims would
// have expired. When ctx ends the inbox gets claimGrace, since an interrupted
// database may have claimed deliveries that nobody would then know of.
func (p *pool) claim(ctx context.Context, o ClaimOptions) ([]Claim, error) {
	claimCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Lease)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(p.claimGrace())
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-claimCtx.Done():
		}
	})
	defer stop()
	return p.inbox.Claim(claimCtx, o)
}

// claimGrace is how long a Claim in progress may take when ctx has ended.
func (p *pool) claimGrace() time.Duration { return min(drainGrace, p.shutdownTimeout()) }

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
	places := p.line.enter(claims, func(c Claim) bool { return c.Suspect && !p.policy.isExhausted(c) })
	for i := range claims {
		c := &claims[i]
		c.Last = p.policy.isLast(*c)
		a := &attempt{pool: p, runCtx: runCtx, place: places[i], lease: newLeaseKeeper(p.inbox, *c, p.lease(), requested)}
		a.current.Store(c)
		p.openClaims.Add(1)
		p.mu.Lock()
		p.running[a] = struct{}{}
		p.mu.Unlock()
		p.attempts.Go(func() {
			defer p.remove(a)
			defer a.recoverGoexit()
			a.run(ctx, runCtx)
		})
	}
}

// remove removes an attempt that has ended, and releases its slot.
func (p *pool) remove(a *attempt) {
	p.mu.Lock()
	delete(p.running, a)
	last := p.runReturned && len(p.running) == 0
	p.mu.Unlock()
	if last {
		pools.remove(p)
	}
	p.line.leave(a.place)
	p.release(1)
}

// inUse returns the number of attempts in progress.
func (p *pool) inUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)
}
