package webhooktest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hookhouse/hookhouse/webhook"
)

// defaultKeep is how many deliveries a Recorder keeps unless told.
const defaultMax = 1024

// A Recorder is a [webhook.Handler] that keeps what it is given. The zero value
// is ready. It is safe for concurrent use; set the fields before.
type Recorder struct {
	// Err is what Handle returns. The delivery is recorded all the same. Zero
	// means success.
	Err error
	// Max is how many of the newest deliveries are kept. Zero means 1024.
	Max int

	mu      sync.Mutex
	kept    []*webhook.Delivery
	count   int
	changed chan struct{} // closed when count grows; nil while nobody waits
}

// Handle records d and returns Err.
func (r *Recorder) Handle(_ context.Context, d *webhook.Delivery) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	most := r.Max
	if most <= 0 {
		most = defaultMax
	}
	if len(r.kept) >= most {
		r.kept = slices.Delete(r.kept, 0, len(r.kept)-most+1)
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

// Count returns how many deliveries were recorded, those no longer kept
// included.
func (r *Recorder) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Deliveries returns the deliveries kept, oldest first, in a slice of the
// caller's own. They are shared: treat them as read-only.
func (r *Recorder) Deliveries() []*webhook.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.kept)
}

// Wait returns the deliveries kept as soon as n have been recorded in all, at
// once if they have been already. If ctx ends before, the error wraps its
// cause and tells how many there were; those kept are returned with it.
func (r *Recorder) Wait(ctx context.Context, n int) ([]*webhook.Delivery, error) {
	for {
		kept, count, changed := r.look()
		if count >= n {
			return kept, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return kept, fmt.Errorf("webhooktest: %d deliveries of %d: %w", count, n, context.Cause(ctx))
		}
	}
}

// look returns the state, and a channel that is closed when it has changed.
func (r *Recorder) look() (kept []*webhook.Delivery, count int, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return slices.Clone(r.kept), r.count, r.changed
}
