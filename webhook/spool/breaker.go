package spool

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// A breaker keeps a Relay from trying every delivery on a Handler that takes none. While
// it is closed, calls go through. A failure opens it: then one call at a time goes
// through as a probe, with growing waits, until one succeeds. The zero value is closed.
type breaker struct {
	mu       sync.Mutex
	failures int // in a row
	next     time.Time
	probing  chan struct{} // non-nil during a probe; closed when the probe ends
}

// closed reports whether the last call succeeded.
func (b *breaker) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures == 0
}

var errStopping = errors.New("spool: relay stops before the delivery was passed on")

// acquire returns when a call may be made, as the only one if probe. The caller calls
// report afterwards. It fails if ctx or stop is done.
func (b *breaker) acquire(ctx, stop context.Context) (probe bool, err error) {
	for {
		b.mu.Lock()
		if b.failures == 0 {
			b.mu.Unlock()
			return false, nil
		}
		probing, left := b.probing, time.Until(b.next)
		if probing == nil && left <= 0 {
			b.probing = make(chan struct{})
			b.mu.Unlock()
			return true, nil
		}
		b.mu.Unlock()
		var due <-chan time.Time
		if probing == nil {
			due = time.After(left)
		}
		select {
		case <-probing:
		case <-due:
		case <-ctx.Done():
			return false, ctx.Err()
		case <-stop.Done():
			return false, errStopping
		}
	}
}

// report takes the result of a call. Calls that fail at the same time count as one
// failure.
func (b *breaker) report(probe, answered bool, retry webhook.Backoff) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if answered {
		b.failures = 0
	} else if probe || b.failures == 0 {
		b.failures++
		b.next = time.Now().Add(retry.Delay(b.failures))
	}
	if probe {
		close(b.probing)
		b.probing = nil
	}
}
