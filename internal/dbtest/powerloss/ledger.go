package powerloss

import (
	"maps"
	"sync"
)

// A ledger is what the senders and the worker were answered, kept outside the
// database.
type ledger struct {
	mu      sync.Mutex
	bodies  map[string]string // by UID, of what was acknowledged
	settled map[string]bool   // by UID, what is done for good
}

func (l *ledger) acknowledge(uid, body string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bodies[uid] = body
}

func (l *ledger) settle(uid string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settled[uid] = true
}

// promised returns a copy of what must hold from now on.
func (l *ledger) promised() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &ledger{bodies: maps.Clone(l.bodies), settled: maps.Clone(l.settled)}
}
