package webhook

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// The sizes and times of a Budget.
const (
	defaultBudget = 256 << 20
	minBudget     = 64 << 10
	// firstChunk is the maximum charge of a request before any of its body has arrived.
	firstChunk = 16 << 10
	// growth is the factor by which the buffer of a larger body grows.
	growth = 4
	// budgetWait is how long a request waits for the memory of its first chunk.
	budgetWait = 2 * time.Second
)

// A Budget bounds the memory that the bodies of all requests in progress use, across all
// Sources that share it. A request is charged for its buffers from the arrival of its
// body until its Handler has returned:
//
//   - Until its first 16 KiB have arrived, a request is charged for at most 16 KiB,
//     whatever its Content-Length. After that, a body of up to 256 KiB is charged for its
//     whole Content-Length, and a larger one as its buffer grows.
//   - A form is charged twice, since its document is a copy.
//   - A request waits up to 2 seconds for its first 16 KiB. A request that needs more when
//     none is left is refused at once, so no request waits while it holds memory. In both
//     cases the error is [ErrOverloaded].
//   - Beyond its first 16 KiB a request must leave a quarter of the Budget free, so that
//     large bodies cannot keep out small ones.
//   - A body that is read before [Verifier.Admit], for [Source.Handshake], is charged for at
//     most 1025 bytes, and must leave seven eighths of the Budget free. If it cannot, it is
//     not read before Admit, so strangers cannot use up the Budget.
//   - The largest body is three eighths of the Budget, since a growing buffer is copied.
//
// A Budget is safe for concurrent use. Its zero value is not usable.
type Budget struct {
	total *semaphore.Weighted
	most  int64        // maximum in use after a growth
	few   int64        // maximum in use after a charge for a stranger
	used  atomic.Int64 // acquired from total, or about to be
}

// NewBudget returns a Budget of the given number of bytes. It panics if that is less than
// 64 KiB.
func NewBudget(bytes int64) *Budget {
	if bytes < minBudget {
		panic(fmt.Sprintf("webhook: a budget of %d bytes is below %d", bytes, minBudget))
	}
	return &Budget{total: semaphore.NewWeighted(bytes), most: bytes - bytes/4, few: bytes / 8}
}

// sharedBudget is the Budget of all Sources without their own.
var sharedBudget = NewBudget(defaultBudget)

// largest returns the size of the largest body that always fits into an unused Budget.
func (b *Budget) largest() int64 { return b.most/2 - 1 }

var errBudgetFull = fmt.Errorf("%w: no memory for the rest of the body", ErrOverloaded)

// A charge is the part of a Budget that one request holds. The zero value holds nothing.
type charge struct {
	budget *Budget
	bytes  int64
}

// begin acquires memory for the first chunk, and waits for it.
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

// beginStranger acquires memory for a request that may be a stranger's, without waiting.
func (c *charge) beginStranger(b *Budget, bytes int64) bool {
	if !b.take(bytes, b.few) {
		return false
	}
	*c = charge{budget: b, bytes: bytes}
	return true
}

// grow acquires more memory without waiting.
func (c *charge) grow(bytes int64) error {
	most := c.budget.most
	if c.bytes+bytes <= firstChunk {
		most = math.MaxInt64
	}
	if !c.budget.take(bytes, most) {
		return errBudgetFull
	}
	c.bytes += bytes
	return nil
}

// take acquires memory if afterwards at most the given number of bytes is in use, and if
// no other request waits.
func (b *Budget) take(bytes, most int64) bool {
	for {
		used := b.used.Load()
		if used+bytes > most {
			return false
		}
		if b.used.CompareAndSwap(used, used+bytes) {
			break
		}
	}
	if !b.total.TryAcquire(bytes) {
		b.used.Add(-bytes)
		return false
	}
	return true
}

// shrink releases a part of the memory.
func (c *charge) shrink(bytes int64) {
	c.bytes -= bytes
	c.budget.used.Add(-bytes)
	c.budget.total.Release(bytes)
}

// release releases all memory. A second call has no effect.
func (c *charge) release() {
	if c.budget != nil {
		c.shrink(c.bytes)
		*c = charge{}
	}
}
