package spool

import (
	"context"
	"sync"
	"time"
)

// pauseFor is how long new deliveries wait at most so that local runs empty.
const pauseFor = 250 * time.Millisecond

// A router sends new deliveries to primary or to local. It starts with local, and
// returns to primary once local is observed empty and no Put into local overlapped that
// observation: none was under way when it began, and none has begun since. The zero
// value is ready.
type router struct {
	mu      sync.Mutex
	primary bool          // deliveries go to primary
	puts    int           // Puts into local that are under way
	begun   int64         // Puts into local that have begun so far
	paused  chan struct{} // if non-nil, new deliveries wait until it is closed
}

// route reports whether a new delivery goes to primary. If not, the caller puts it into
// local and calls done. While intake is paused it waits, pauseFor at most.
func (r *router) route(ctx context.Context) (toPrimary bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if paused := r.paused; paused != nil {
		r.mu.Unlock()
		limit := time.NewTimer(pauseFor)
		select {
		case <-paused:
		case <-limit.C:
		case <-ctx.Done():
		}
		limit.Stop()
		r.mu.Lock()
	}
	if !r.primary {
		r.beginPut()
	}
	return r.primary
}

// failover sends new deliveries to local, because primary failed to take one. The
// caller puts that one into local and calls done. It reports whether deliveries went to
// primary until now.
func (r *router) failover() (was bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, r.primary = r.primary, false
	r.beginPut()
	return was
}

func (r *router) beginPut() {
	r.puts++
	r.begun++
}

// done ends a Put into local.
func (r *router) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.puts--
}

// snapshot begins an observation of local. If not quiet, a Put is under way and the
// observation proves nothing.
func (r *router) snapshot() (begun int64, quiet bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun, r.puts == 0
}

// restore sends new deliveries to primary, if no Put into local has begun since the
// snapshot. It reports whether they go to primary.
func (r *router) restore(begun int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.primary = r.primary || r.begun == begun
	return r.primary
}

func (r *router) toPrimary() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.primary
}

// pause makes new deliveries wait in route until resume is called.
func (r *router) pause() (resume func()) {
	paused := make(chan struct{})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = paused
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.paused = nil
		close(paused)
	}
}
