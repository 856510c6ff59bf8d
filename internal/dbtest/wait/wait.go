// Package wait polls conditions.
package wait

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Timeout limits a wait whose context has no deadline.
const Timeout = 3 * time.Minute

const (
	shortest = 5 * time.Millisecond
	longest  = 250 * time.Millisecond
)

// Until calls holds until it reports true, and returns nil then. Between two
// calls it waits ten times as long as the call took, at least 5 ms and at most 250 ms,
// so that a poll does not take the processor from what it waits for.
// It returns an error that names the condition when ctx ends first.
func Until(ctx context.Context, condition string, holds func() bool) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, Timeout)
		defer cancel()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		began := time.Now()
		if holds() {
			return nil
		}
		timer.Reset(min(max(10*time.Since(began), shortest), longest))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %w", condition, ctx.Err())
		}
	}
}

// Part waits for a random part of d. It returns the error of ctx if that ends first.
func Part(ctx context.Context, d time.Duration) error {
	part := time.NewTimer(rand.N(d))
	defer part.Stop()
	select {
	case <-part.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
