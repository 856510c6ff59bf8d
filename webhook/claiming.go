package webhook

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// claimUntil claims a delivery for each free slot, until ctx ends or, in Drain, until
// nothing is due. The Handlers run with runCtx.
func (p *pool) claimUntil(ctx, runCtx context.Context) {
	pause, above := p.pollInterval(), 0
	for {
		// Get the signal first, so that no later change is missed.
		changed, noSignal := p.inbox.changed()
		if noSignal != nil {
			p.logChangedError(noSignal)
		}
		wake := p.wake
		free, ok := p.acquire(ctx)
		if !ok {
			return
		}
		idle, n, types := p.next(free, above)
		o := ClaimOptions{N: n, Lease: p.lease(), Types: types, Except: pools.uncertain(p.inbox.identity()), By: p.by}
		claims, err := p.claimAndStart(ctx, runCtx, o)
		p.release(free - len(claims))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && p.due != nil:
			p.failDrain(ctx, err)
			return
		case err != nil:
			p.recordFailure(err)
			p.logger().Error("claim failed", "reason", err)
			pause, above = min(pause*2, longestPause), 0
			changed, wake = nil, nil
		default:
			pause = p.pollInterval()
			full := n > 0 && (len(claims) == n || bodyBytes(claims) >= limit.ClaimBytes/8)
			switch {
			case full && n < free: // there may be more of the types with more room
				above = n
				continue
			case full || above > 0: // there may be more, or of the types left out
				above = 0
				continue
			}
			if p.due != nil && idle && len(claims) == 0 {
				if p.endDrain(ctx) {
					return
				}
				continue
			}
		}
		wait := pause
		if err == nil && noSignal == nil && len(claims) == 0 {
			wait = p.idleTime(ctx, o)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// idleTime returns how long to wait after a Claim that has found nothing: until a NextDuer
// has something due. An inbox that is none is polled, and so are one that cannot signal
// changes and one whose deliveries are left out because their callbacks have not returned:
// nothing signals that they have.
func (p *pool) idleTime(ctx context.Context, o ClaimOptions) time.Duration {
	poll := p.pollInterval()
	if len(o.Except) > 0 {
		return poll
	}
	ctx, cancel := context.WithTimeout(ctx, o.Lease)
	defer cancel()
	wait, ok, err := p.inbox.nextDue(ctx, o)
	if err != nil && ctx.Err() == nil {
		p.logChangedError(err)
	}
	if !ok || wait <= 0 { // zero: since the Claim, or the inbox is wrong
		return poll
	}
	return min(wait, max(longestIdle, poll))
}

// next returns what to claim next; see typeSlots. It reports idle if there is no
// attempt that Drain waits for.
func (p *pool) next(free, above int) (idle bool, n int, types []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due != nil {
		p.due.held = len(p.running)
	}
	n, types = p.types.ask(free, above)
	return p.isIdle(), n, types
}

// claimAndStart claims and starts deliveries. If o.N is zero, it does nothing.
func (p *pool) claimAndStart(ctx, runCtx context.Context, o ClaimOptions) ([]Claim, error) {
	if o.N == 0 {
		return nil, nil
	}
	start := time.Now()
	p.recordClaiming(start)
	claims, err := p.claim(ctx, o)
	p.start(ctx, runCtx, claims, start)
	if err == nil && ctx.Err() == nil {
		p.recordClaimed(time.Now())
	}
	return claims, err
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
