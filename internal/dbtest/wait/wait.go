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

// Until calls holds every few milliseconds and returns nil when it reports true.
// It returns an error that names the condition when ctx ends first.
func Until(ctx context.Context, condition string, holds func() bool) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, Timeout)
		defer cancel()
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %w", condition, ctx.Err())
		}
	}
	return nil
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
