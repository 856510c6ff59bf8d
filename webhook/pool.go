package webhook

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A pool is one Run of a Worker: the attempts under way and their slots.
type pool struct {
	*Worker
	end       context.CancelCauseFunc // ends the claiming, and so Run
	slots     chan struct{}           // one element for each attempt under way
	line      lineup
	late      latecomers
	unsettled atomic.Int64 // attempts that the inbox has not settled for a lease
	unheard   logLimit     // lines about an inbox that cannot tell of changes

	starting sync.Mutex
	deaf     bool // no claims are heeded any more; guarded by starting

	staying context.Context // ends when Run leaves attempts behind
	leave   context.CancelFunc

	mu      sync.Mutex
	running map[*attempt]struct{}
	over    bool           // Run has returned
	open    sync.WaitGroup // claims that have not ended
	done    sync.WaitGroup // attempts under way
}

func newPool(w *Worker, work context.Context, end context.CancelCauseFunc) *pool {
	p := &pool{Worker: w, end: end, slots: make(chan struct{}, w.concurrency()), running: make(map[*attempt]struct{})}
	p.late.pool = p
	p.staying, p.leave = context.WithCancel(context.WithoutCancel(work))
	return p
}

// claimUntil claims as many as there are free slots until ctx ends. Attempts
// run on the context work.
func (p *pool) claimUntil(ctx, work context.Context, types []string) {
	pause, by := p.pollInterval(), p.name()
	for {
		// Ask for the signal first: what changes after that is not missed.
		changed, unheard := p.inbox.changed()
		if unheard != nil {
			p.tellUnheard(unheard)
		}
		free, ok := p.take(ctx)
		if !ok {
			return
		}
		asked := time.Now()
		p.wants(asked)
		claims, err := p.claim(ctx, ClaimOptions{N: free, Lease: p.lease(), Types: types, Except: underWay.adrift(p.inbox.origin()), By: by})
		p.start(ctx, work, claims, asked)
		p.give(free - len(claims))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.failed(err)
			p.logger().Error("inbox could not be claimed from", "reason", err)
			pause = min(pause*2, longestPause)
			changed = nil
		default:
			p.claimed(time.Now())
			pause = p.pollInterval()
			if len(claims) == free || bodies(claims) >= defaultClaimed/8 {
				continue // there may be more
			}
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// tellUnheard logs that the inbox does not tell of changes, now and then.
func (p *pool) tellUnheard(err error) {
	if held, ok := p.unheard.pass("", overdueEvery); ok {
		p.logger().Error("inbox cannot tell of changes and is polled", "reason", err, "unlogged", held)
	}
}

// bodies returns the size of the bodies together. If it is large, the bound on it
// may have ended the claim, and there may be more.
func bodies(claims []Claim) (size int) {
	for _, c := range claims {
		size += len(c.Delivery.Body)
	}
	return size
}

// claim asks the inbox, which has one lease to answer: later its claims would
// be worth nothing. When ctx ends it still has a moment, since a database that
// is interrupted may have claimed what nobody then knows of.
func (p *pool) claim(ctx context.Context, o ClaimOptions) ([]Claim, error) {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Lease)
	defer cancel()
	moment := context.AfterFunc(ctx, func() {
		wait := time.NewTimer(p.hearing())
		defer wait.Stop()
		select {
		case <-wait.C:
			cancel()
		case <-asking.Done():
		}
	})
	defer moment()
	return p.inbox.Claim(asking, o)
}

// hearing is how long a claim under way is heard out when ctx has ended.
func (p *pool) hearing() time.Duration { return min(lastMoment, p.shutdownTimeout()) }

// heedNoClaims waits until claiming has ended, but not for an inbox that ignores
// the end of its context: what that claims later is not worked on.
func (p *pool) heedNoClaims(claimed <-chan struct{}) {
	limit := time.NewTimer(p.hearing() + lastMoment)
	defer limit.Stop()
	select {
	case <-claimed:
	case <-limit.C:
	}
	p.starting.Lock()
	defer p.starting.Unlock()
	p.deaf = true
}

// take waits until a slot is free and the lineup allows claims. It takes all free
// slots and returns how many. It reports false when ctx has ended.
func (p *pool) take(ctx context.Context) (n int, ok bool) {
	select {
	case <-ctx.Done():
		return 0, false
	case p.slots <- struct{}{}:
	}
	for closed := p.line.wait(); closed != nil; closed = p.line.wait() {
		select {
		case <-ctx.Done():
			p.give(1)
			return 0, false
		case <-closed:
		}
	}
	if ctx.Err() != nil { // both were ready
		p.give(1)
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

func (p *pool) give(n int) {
	for range n {
		<-p.slots
	}
}

// start begins an attempt for each of the claims of one call, which was asked for
// at the given time. Each has a slot.
func (p *pool) start(ctx, work context.Context, claims []Claim, asked time.Time) {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.deaf {
		return
	}
	places := p.line.enter(claims, func(c Claim) bool { return c.Suspect && !p.hopeless(c) })
	for i := range claims {
		c := &claims[i]
		c.Last = c.Attempt >= p.maxAttempts()
		a := &attempt{pool: p, place: places[i], lease: newLeaseKeeper(p.inbox, *c, p.lease(), asked)}
		a.held.Store(c)
		p.open.Add(1)
		p.mu.Lock()
		p.running[a] = struct{}{}
		p.mu.Unlock()
		p.done.Go(func() {
			defer p.dismiss(a)
			defer a.finish()
			a.run(ctx, work)
		})
	}
}

func (p *pool) dismiss(a *attempt) {
	p.mu.Lock()
	delete(p.running, a)
	last := p.over && len(p.running) == 0
	p.mu.Unlock()
	if last {
		underWay.remove(p)
	}
	p.line.leave(a.place)
	p.give(1)
}

// inUse counts the attempts under way.
func (p *pool) inUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)
}
