package catchup

import "sync"

// A Counter guards the status of a catch-up, a struct of the provider. The zero value has a
// zero status. It is safe for concurrent use.
type Counter[Status any] struct {
	mu     sync.Mutex
	status Status
}

// Get returns the status.
func (c *Counter[Status]) Get() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Change changes the status. The func must not keep the pointer, and must not call the
// Counter.
func (c *Counter[Status]) Change(change func(s *Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.status)
}
