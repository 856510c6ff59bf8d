package service

import (
	"context"
	"time"
)

const (
	// firstWait is between two tries, and doubles with each until it is maxWait.
	firstWait = 250 * time.Millisecond
	maxWait   = 15 * time.Second
)

// A Backoff is how long to wait between two tries. The first try does not wait. The zero value
// is ready.
type Backoff struct {
	wait  time.Duration
	begun bool
}

// Wait waits before a try, longer each time. It returns the error of ctx if that ends first.
func (b *Backoff) Wait(ctx context.Context) error {
	if !b.begun {
		b.begun = true
		return ctx.Err()
	}
	b.wait = min(max(2*b.wait, firstWait), maxWait)
	return Pause(ctx, b.wait)
}

// Reset makes the next wait short: a try has succeeded. It is not zero, so that what succeeds
// and fails in turn is not tried all the time.
func (b *Backoff) Reset() { b.wait = 0 }

// Pause waits for d. It returns the error of ctx if that ends first.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
