package webhook

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// The sizes by which a Budget is charged.
const (
	defaultBudget = 256 << 20
	minBudget     = 64 << 10
	// firstChunk is the most that a request is given before it has sent anything.
	firstChunk = 16 << 10
	// growth is how much the buffer of a larger body grows at a time.
	growth = 4
	// budgetWait is how long a request waits for its first chunk.
	budgetWait = 2 * time.Second
)

// A Budget bounds the bytes that all requests being received hold in memory,
// over every Source that shares it. A request is charged for its buffers as the
// body arrives, until its handler has returned: for nothing that it announces
// until its first 16 KiB are there, then, up to 256 KiB, for all of it. A form
// body is charged twice, since its document is a copy.
//
// One that holds nothing yet waits up to 2 seconds for its first 16 KiB; one
// that needs more when there is none is refused at once, so nobody waits while
// holding. Both get [ErrOverloaded]. Beyond its first 16 KiB a request leaves a
// quarter free, so that large bodies never shut out small ones.
//
// A body may be three eighths of the Budget at most, since it is copied as it
// grows. A Budget is safe for concurrent use; the zero value is not usable.
type Budget struct {
	total *semaphore.Weighted
	most  int64        // in use, for one more growth
	used  atomic.Int64 // as total has it, or about to
}

// NewBudget returns a Budget of the given number of bytes. It panics if that is below
// 64 KiB.
func NewBudget(bytes int64) *Budget {
	if bytes < minBudget {
		panic(fmt.Sprintf("webhook: a budget of %d bytes is below %d", bytes, minBudget))
	}
	return &Budget{total: semaphore.NewWeighted(bytes), most: bytes - bytes/4}
}

// sharedBudget is what a Source without a Budget uses.
var sharedBudget = NewBudget(defaultBudget)

// largest is the body that always fits into an empty Budget.
func (b *Budget) largest() int64 { return b.most/2 - 1 }

var errBudgetFull = fmt.Errorf("%w: no memory for the rest of the body", ErrOverloaded)

// A charge is what one request holds of a Budget. The zero value holds nothing.
type charge struct {
	budget *Budget
	bytes  int64
}

// begin waits for the first chunk.
func (c *charge) begin(ctx context.Context, b *Budget, bytes int64) error {
	if !b.total.TryAcquire(bytes) {
		ctx, cancel := context.WithTimeout(ctx, budgetWait)
		defer cancel()
		if err := b.total.Acquire(ctx, bytes); err != nil {
			return fmt.Errorf("%w: no memory for the body within %v", ErrOverloaded, budgetWait)
		}
	}
	b.used.Add(bytes)
	*c = charge{budget: b, bytes: bytes}
	return nil
}

// grow takes more without waiting.
func (c *charge) grow(bytes int64) error {
	b := c.budget
	small := c.bytes+bytes <= firstChunk
	for {
		used := b.used.Load()
		if used+bytes > b.most && !small {
			return errBudgetFull
		}
		if b.used.CompareAndSwap(used, used+bytes) {
			break
		}
	}
	if !b.total.TryAcquire(bytes) { // somebody waits
		b.used.Add(-bytes)
		return errBudgetFull
	}
	c.bytes += bytes
	return nil
}

// giveBack returns a part of what is held.
func (c *charge) giveBack(bytes int64) {
	c.bytes -= bytes
	c.budget.used.Add(-bytes)
	c.budget.total.Release(bytes)
}

// release gives everything back. It may be called once more without effect.
func (c *charge) release() {
	if c.budget != nil {
		c.giveBack(c.bytes)
		*c = charge{}
	}
}
