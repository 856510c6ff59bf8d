package webhook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// drainGrace is how long callbacks may still take to return when their contexts
	// have ended after ShutdownTimeout, and then how long putting back the remaining
	// deliveries may take.
	drainGrace = time.Second
	// inboxGrace is how long an inbox may still take to return when its context has
	// ended.
	inboxGrace = drainGrace / 10
)

// close is called when Run returns. The pool remains in the registry while attempts
// are in progress.
func (p *pool) close() {
	p.detach()
	p.mu.Lock()
	p.runReturned = true
	last := len(p.running) == 0
	p.mu.Unlock()
	if last {
		pools.remove(p)
	}
}

// A runError is the cause with which a pool ends its own Run. The cause of a Run's
// context may also be the runError of another pool.
type runError struct {
	pool *pool
	err  error
}

func (e *runError) Error() string { return e.err.Error() }
func (e *runError) Unwrap() error { return e.err }

// fail ends Run with err, unless Run is ending already.
func (p *pool) fail(err error) { p.endRun(&runError{p, err}) }

// failure returns the error that fail was given, nil if Run's context has ended
// otherwise.
func (p *pool) failure(ctx context.Context) error {
	if e, ok := context.Cause(ctx).(*runError); ok && e.pool == p {
		return e.err
	}
	return nil
}

// shutDown waits for the attempts in progress until ShutdownTimeout is over, counted
// from the end of Run's context. Then it ends their contexts, waits drainGrace more,
// puts back the remaining deliveries and returns ErrShutdown. With a failure it
// returns that. If the failure is ErrStuck, it waits only until all claims are
// settled, not for the callbacks.
func (p *pool) shutDown(cancelRun context.CancelCauseFunc, ended time.Time, failure error) error {
	awaited := &p.attempts
	stuck := errors.Is(failure, ErrStuck)
	if failure != nil && p.due == nil { // Drain's caller gets the failure
		p.logger().Error("worker ends", "reason", failure)
	}
	if stuck {
		awaited = &p.openClaims
	}
	all := make(chan struct{})
	go func() {
		awaited.Wait()
		close(all)
	}()
	timeout := time.NewTimer(p.shutdownTimeout() - time.Since(ended))
	defer timeout.Stop()
	select {
	case <-all:
		p.abandonRest()
		return failure
	case <-timeout.C:
	}
	cancelRun(ErrShutdown)
	grace := time.NewTimer(drainGrace)
	defer grace.Stop()
	select {
	case <-all:
	case <-grace.C:
	}
	left := p.abandonRest()
	if stuck || left == 0 {
		return failure
	}
	if failure != nil {
		return fmt.Errorf("%w; %d attempts did not end in time", failure, left)
	}
	return fmt.Errorf("%w: %d attempts did not end in time", ErrShutdown, left)
}

// abandonRest ends the claims of the remaining attempts and returns their number. It
// lists the attempts before it calls detach: after that they end by themselves and
// rely on it to settle their claims.
func (p *pool) abandonRest() int {
	p.mu.Lock()
	left := slices.Collect(maps.Keys(p.running))
	p.mu.Unlock()
	p.detach()
	if len(left) == 0 {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainGrace)
	var settling sync.WaitGroup
	for _, a := range left {
		settling.Go(func() { a.abandon(ctx) })
	}
	settled := make(chan struct{})
	go func() {
		defer cancel()
		settling.Wait()
		close(settled)
	}()
	limit := time.NewTimer(drainGrace + inboxGrace)
	defer limit.Stop()
	select {
	case <-settled:
	case <-limit.C: // the inbox ignores its context
	}
	return len(left)
}
