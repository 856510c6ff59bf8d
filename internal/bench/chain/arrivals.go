package chain

import (
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/webhook"
)

// Arrivals are the deliveries that have arrived. It is safe for concurrent use.
type arrivals struct {
	all   chan struct{} // closed when each has arrived
	mu    sync.Mutex
	want  int
	seen  map[string]bool
	waits []float64 // ms since acceptance
}

func newArrivals(n int) *arrivals {
	return &arrivals{all: make(chan struct{}), want: n, seen: make(map[string]bool, n)}
}

// add notes that d has arrived. A second arrival does not count.
func (a *arrivals) add(d *webhook.Delivery) {
	wait := time.Since(d.ReceivedAt)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen[d.UID] {
		return
	}
	a.seen[d.UID] = true
	a.waits = append(a.waits, env.Millis(wait))
	if len(a.waits) == a.want {
		close(a.all)
	}
}
