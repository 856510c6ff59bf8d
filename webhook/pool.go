package webhook

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A pool is one Run of a Worker: the attempts under way and their slots.
type pool struct {
	*Worker
	slots chan struct{} // one element for each attempt under way

	mu      sync.Mutex
	running map[*attempt]struct{}
	done    sync.WaitGroup
}

// claimUntil claims as many as there are free slots until ctx ends. Attempts
// run on the context work.
func (p *pool) claimUntil(ctx, work context.Context) {
	pause := p.poll()
	types := typesOf(p.handler)
	for {
		// Ask for the signal first: what changes after that is not missed.
		changed := p.changed()
		free, ok := p.take(ctx)
		if !ok {
			return
		}
		claims, err := p.claim(ctx, ClaimOptions{N: free, Lease: p.lease(), Types: types})
		for _, c := range claims {
			p.start(work, c)
		}
		p.give(free - len(claims))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.logger().Error("inbox could not be claimed from", "reason", err)
			pause = min(pause*2, longestPause)
			changed = nil
		case len(claims) == free:
			pause = p.poll()
			continue // there may be more
		default:
			pause = p.poll()
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

// claim asks the inbox, which has one lease to answer: later its claims would
// be worth nothing. When ctx ends it still has a moment, since a database that
// is interrupted may have claimed what nobody then knows of.
func (p *pool) claim(ctx context.Context, o ClaimOptions) ([]Claim, error) {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Lease)
	defer cancel()
	moment := context.AfterFunc(ctx, func() {
		wait := time.NewTimer(min(lastMoment, p.grace()))
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

// changed returns the inbox's signal, or nil, which never comes.
func (p *pool) changed() <-chan struct{} {
	if n, ok := p.inbox.(Notifier); ok {
		return n.Changed()
	}
	return nil
}

// take waits for a free slot and takes all that are free.
func (p *pool) take(ctx context.Context) (n int, ok bool) {
	select {
	case <-ctx.Done():
		return 0, false
	case p.slots <- struct{}{}:
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

func (p *pool) start(work context.Context, c Claim) {
	c.Last = c.Attempt >= p.maxAttempts()
	a := &attempt{Worker: p.Worker, claim: c, start: time.Now(), gone: make(chan struct{})}
	p.mu.Lock()
	p.running[a] = struct{}{}
	p.mu.Unlock()
	p.done.Go(func() {
		defer func() {
			p.mu.Lock()
			delete(p.running, a)
			p.mu.Unlock()
			p.give(1)
		}()
		a.run(work)
	})
}

// drain waits for the attempts under way. When Grace is over, counted from the
// end of Run's context, it ends their contexts, gives those that notice a moment,
// and gives back the rest, which is an error.
func (p *pool) drain(stop context.CancelCauseFunc, ended time.Time) error {
	all := make(chan struct{})
	go func() {
		p.done.Wait()
		close(all)
	}()
	grace := time.NewTimer(p.grace() - time.Since(ended))
	defer grace.Stop()
	select {
	case <-all:
		return nil
	case <-grace.C:
	}
	stop(ErrShutdown)
	moment := time.NewTimer(lastMoment)
	defer moment.Stop()
	select {
	case <-all:
		return nil
	case <-moment.C:
	}
	p.mu.Lock()
	left := make([]*attempt, 0, len(p.running))
	for a := range p.running {
		left = append(left, a)
	}
	p.mu.Unlock()
	if len(left) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastMoment)
	defer cancel()
	var giving sync.WaitGroup
	for _, a := range left {
		giving.Go(func() { a.abandon(ctx) })
	}
	giving.Wait()
	return fmt.Errorf("%w: %d attempts did not end in time", ErrShutdown, len(left))
}
