package webhook

import (
	"sync"
	"time"
)

const (
	// idleAfter is how long deliveries may lie in local without a Run: a program
	// may receive before it forwards, and after it.
	idleAfter = 5 * time.Second
	// idleEvery is how often that is told while it lasts.
	idleEvery = time.Minute
)

// An attendance notices that deliveries are stored in local while no Run is there
// to forward them. The zero value is ready.
type attendance struct {
	mu      sync.Mutex
	running int
	stored  int         // without a Run, since the last line
	due     *time.Timer // of the next line; nil: none is due
	last    time.Time   // line
}

// begin and end stand around Run.
func (a *attendance) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running++
	a.stored = 0
	if a.due != nil {
		a.due.Stop()
		a.due = nil
	}
}

func (a *attendance) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running--
}

// note counts a delivery that went to local. Warn is called in a while, with the
// number of them, if no Run has begun by then.
func (a *attendance) note(warn func(stored int)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running > 0 {
		return
	}
	a.stored++
	if a.due == nil {
		wait := max(idleAfter, time.Until(a.last.Add(idleEvery)))
		a.due = time.AfterFunc(wait, func() {
			if stored := a.take(); stored > 0 {
				warn(stored)
			}
		})
	}
}

// take returns what is to be told now.
func (a *attendance) take() (stored int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running > 0 {
		return 0
	}
	stored, a.stored = a.stored, 0
	a.due, a.last = nil, time.Now()
	return stored
}
