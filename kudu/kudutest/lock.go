package kudutest

import (
	"context"
	"sync"
	"time"
)

// A lock is a mutex that is waited for no longer than lockWait. The zero value
// is free.
type lock struct {
	once sync.Once
	held chan struct{}
}

// take reports whether the lock could be had.
func (l *lock) take(ctx context.Context) bool {
	l.once.Do(func() { l.held = make(chan struct{}, 1) })
	timeout := time.NewTimer(lockWait)
	defer timeout.Stop()
	select {
	case l.held <- struct{}{}:
		return true
	case <-timeout.C:
		return false
	case <-ctx.Done():
		return false
	}
}

func (l *lock) release() { <-l.held }
