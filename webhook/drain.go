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

// close is called when Run returns. What it left behind stays in the registry.
func (p *pool) close() {
	p.leave()
	p.mu.Lock()
	p.over = true
	last := len(p.running) == 0
	p.mu.Unlock()
	if last {
		underWay.remove(p)
	}
}

// A fault is why a pool ends Run before its context has ended. Another pool's may
// be the cause with which that ends.
type fault struct {
	pool *pool
	err  error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// giveUp ends Run with an error, unless it ends already.
func (p *pool) giveUp(err error) { p.end(&fault{p, err}) }

// reason returns the error with which Run was ended by giveUp; nil if its context
// has ended otherwise.
func (p *pool) reason(ctx context.Context) error {
	if f, ok := context.Cause(ctx).(*fault); ok && f.pool == p {
		return f.err
	}
	return nil
}

// drain waits for the attempts under way until ShutdownTimeout, counted from
// the end of Run's context, is over. Then it ends their contexts, waits one
// moment more, gives back the rest and returns ErrShutdown. If the Worker is
// stuck it waits only until all claims are settled, not for the callbacks, and
// returns the cause.
func (p *pool) drain(stop context.CancelCauseFunc, ended time.Time, cause error) error {
	waiting := &p.done
	stuck := errors.Is(cause, ErrStuck)
	if cause != nil {
		p.logger().Error("worker ends", "reason", cause)
	}
	if stuck {
		waiting = &p.open
	}
	all := make(chan struct{})
	go func() {
		waiting.Wait()
		close(all)
	}()
	timeout := time.NewTimer(p.shutdownTimeout() - time.Since(ended))
	defer timeout.Stop()
	select {
	case <-all:
		p.abandon()
		return cause
	case <-timeout.C:
	}
	stop(ErrShutdown)
	moment := time.NewTimer(lastMoment)
	defer moment.Stop()
	select {
	case <-all:
	case <-moment.C:
	}
	left := p.abandon()
	if stuck || left == 0 {
		return cause
	}
	if cause != nil {
		return fmt.Errorf("%w; %d attempts did not end in time", cause, left)
	}
	return fmt.Errorf("%w: %d attempts did not end in time", ErrShutdown, left)
}

// abandon ends the claims of the attempts that are left, and returns how many
// those were. It lists them before leave, after which they end by themselves and
// rely on it to settle their claims.
func (p *pool) abandon() int {
	p.mu.Lock()
	left := slices.Collect(maps.Keys(p.running))
	p.mu.Unlock()
	p.leave()
	if len(left) == 0 {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastMoment)
	var giving sync.WaitGroup
	for _, a := range left {
		giving.Go(func() { a.abandon(ctx) })
	}
	given := make(chan struct{})
	go func() {
		defer cancel()
		giving.Wait()
		close(given)
	}()
	limit := time.NewTimer(lastMoment + lastWord)
	defer limit.Stop()
	select {
	case <-given:
	case <-limit.C: // the inbox ignores its context
	}
	return len(left)
}
