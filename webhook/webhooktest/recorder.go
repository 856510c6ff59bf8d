package webhooktest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

const defaultMax = 1024

// A Recorder is a [webhook.Handler] that keeps the deliveries that it gets. The zero
// value is ready to use. Set the fields before the first call. The methods are safe
// for concurrent use.
type Recorder struct {
	// Err is the error that Handle returns. The delivery is recorded even if Err is
	// not nil.
	Err error
	// Max is the number of deliveries that are kept, which are the newest. Zero means
	// 1024.
	Max int

	mu      sync.Mutex
	kept    []*webhook.Delivery
	count   int
	changed chan struct{} // closed when count increases; nil if no Wait needs it
}

// Handle records d and returns Err.
func (r *Recorder) Handle(_ context.Context, d *webhook.Delivery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	limit := r.Max
	if limit <= 0 {
		limit = defaultMax
	}
	if len(r.kept) >= limit {
		r.kept = slices.Delete(r.kept, 0, len(r.kept)-limit+1)
	}
	own := *d
	own.Header = d.Header.Clone() // it may be that of the request
	r.kept = append(r.kept, &own)
	r.count++
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
	return r.Err
}

// Count returns the number of deliveries recorded so far, including those that are
// no longer kept.
func (r *Recorder) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Deliveries returns the kept deliveries, oldest first. The caller owns the slice,
// but must not change the deliveries.
func (r *Recorder) Deliveries() []*webhook.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.kept)
}

// Wait waits until Count is n or more, and returns the kept deliveries as Deliveries
// does. If ctx is done first, it returns them with an error that wraps the cause and
// contains the count.
func (r *Recorder) Wait(ctx context.Context, n int) ([]*webhook.Delivery, error) {
	for {
		kept, count, changed := r.snapshot()
		if count >= n {
			return kept, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return kept, fmt.Errorf("webhooktest: got %d of %d deliveries: %w", count, n, context.Cause(ctx))
		}
	}
}

// snapshot returns the kept deliveries, the count, and a channel that is closed when
// they change.
func (r *Recorder) snapshot() (kept []*webhook.Delivery, count int, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return slices.Clone(r.kept), r.count, r.changed
}
