package webhook

import (
	"context"
	"fmt"
	"sync"
)

// Drain works until nothing is due, and returns. Use it where no process runs all the
// time: in a command that cron starts, or in a function that a platform calls at
// intervals. What becomes due while Drain works is worked too. Drain calls the
// inbox's Sweep while it works, as Run does, and once more after the work.
//
// Drain does not wait for these deliveries, which a later Drain or another Worker
// handles:
//
//   - those that are due later, because of a retry, Coalesce, an [ErrNoHandler] or a time
//     of their own
//   - those that are [Blocked] behind such a delivery
//   - those that another Worker has claimed, also if that Worker no longer exists: they
//     are due when the lease has expired
//   - those of types that the Handler does not handle
//   - those of types that are paused; see [Admin.Pause]
//
// The result is nil only if nothing was due any more. Otherwise it wraps one of these:
//
//   - The error of ctx, when ctx ended before. The attempts then end as those of Run do,
//     within ShutdownTimeout and two seconds: let ctx end that long before the process
//     must. The remaining deliveries are due at the next call.
//   - [ErrShutdown], when attempts did not end in time.
//   - The error of the inbox's Claim. Drain does not try again. It returns when the
//     attempts in progress are settled.
//   - [ErrStuck], when overdue callbacks still run and hold all slots, or no Claim finds
//     anything else, unless KeepRunning is set. Their deliveries are settled. What waits
//     for their slots is not worked. End the process then.
//   - [ErrRunning], when Run or Drain of this Worker has not returned, and the errors of
//     Run for a Handler and Types that do not fit.
//
// Give Drain a ctx that ends: it works on while new deliveries arrive, and it waits while
// the inbox fails to settle finished work.
func (w *Worker) Drain(ctx context.Context) error {
	due := new(dueWork)
	if err := w.run(ctx, due); err != nil {
		return err
	}
	due.mu.Lock()
	defer due.mu.Unlock()
	switch {
	case due.err != nil: // ctx has ended as well
		return due.err
	case !due.done:
		return fmt.Errorf("webhook: Drain has not done all that is due: %w", ctx.Err())
	}
	return nil
}

// A dueWork is what a pool of Drain records.
type dueWork struct {
	mu   sync.Mutex
	done bool  // nothing was due
	err  error // of Claim

	held int // attempts in progress at the last Claim; of the goroutine that claims
}

// isIdle reports whether Drain need not wait for an attempt: each one in progress is
// settled, and its callback is overdue. The caller holds p.mu.
func (p *pool) isIdle() bool {
	for a := range p.running {
		if _, overdue := p.overdue.attempts[a]; !overdue || !a.finished.Load() || p.KeepRunning {
			return false
		}
	}
	return true
}

// endDrain ends a Drain whose last Claim has found nothing while it was idle. It reports
// false if an overdue callback has returned since then: what that held up may be due.
func (p *pool) endDrain(ctx context.Context) bool {
	if p.due.held == 0 {
		p.recordDue(true, nil)
	}
	p.sweepAll(ctx)
	n := p.inUse()
	switch {
	case n < p.due.held:
		return false
	case n > 0:
		p.fail(fmt.Errorf("%w: %d callbacks have not returned", ErrStuck, n))
	default:
		p.endRun(nil)
	}
	return true
}

// failDrain ends a Drain that cannot claim because of err. It waits for the attempts in
// progress until ctx ends.
func (p *pool) failDrain(ctx context.Context, err error) {
	p.recordFailure(err)
	err = fmt.Errorf("webhook: claim failed: %w", err)
	p.recordDue(false, err)
	if p.awaitIdle(ctx) {
		p.fail(err)
	}
}

// recordDue records for Drain whether nothing was due, and the error of Claim.
func (p *pool) recordDue(done bool, err error) {
	p.due.mu.Lock()
	defer p.due.mu.Unlock()
	p.due.done, p.due.err = done, err
}

// awaitIdle waits until isIdle. It reports false if ctx ends first.
func (p *pool) awaitIdle(ctx context.Context) bool {
	for {
		p.mu.Lock()
		idle := p.isIdle()
		p.mu.Unlock()
		if idle {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-p.wake:
		}
	}
}
