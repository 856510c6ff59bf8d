package spool

import (
	"sync"
	"time"
)

const (
	// idleAfter is how long a delivery can be in local before the first warning: a
	// program may receive before it calls Run, and after Run has returned.
	idleAfter = 5 * time.Second
	// idleInterval is the time between two warnings.
	idleInterval = time.Minute
)

// An idleMonitor warns when deliveries are stored in local while no Run forwards them.
// The zero value is ready.
type idleMonitor struct {
	mu      sync.Mutex
	running int
	count   int         // deliveries stored without a Run since the last warning
	timer   *time.Timer // of the next warning; nil if none is due
	last    time.Time   // time of the last warning
}

func (m *idleMonitor) runBegins() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running++
	m.count = 0
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
}

func (m *idleMonitor) runEnds() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running--
}

// stored counts a delivery that was stored in local. If no Run has begun when the next
// warning is due, it calls warn with the count.
func (m *idleMonitor) stored(warn func(count int)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running > 0 {
		return
	}
	m.count++
	if m.timer == nil {
		wait := max(idleAfter, time.Until(m.last.Add(idleInterval)))
		m.timer = time.AfterFunc(wait, func() {
			if count := m.reset(); count > 0 {
				warn(count)
			}
		})
	}
}

// reset returns the count for a warning and sets it to zero.
func (m *idleMonitor) reset() (count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running > 0 {
		return 0
	}
	count, m.count = m.count, 0
	m.timer, m.last = nil, time.Now()
	return count
}
