package webhook

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// healthTimeout is how long an inbox may take to answer.
const healthTimeout = 2 * time.Second

// A sharedCall is a call whose result is shared by all who ask for it while it runs,
// or within an interval after it.
type sharedCall[T any] struct {
	call     func(ctx context.Context) (T, error)
	interval time.Duration

	mu      sync.Mutex
	running chan struct{} // closed when the call in progress returns; nil if there is none
	began   time.Time
	ended   time.Time
	value   T
	err     error
}

// begin starts a call, unless one is in progress or the last result can be used. It
// returns a channel that is closed when the call returns, and how long the call may
// still take. The channel is nil if the last result can be used.
func (s *sharedCall[T]) begin() (returned <-chan struct{}, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		if !s.ended.IsZero() && time.Since(s.ended) < s.interval {
			return nil, 0
		}
		s.running, s.began = make(chan struct{}), time.Now()
		go s.run(s.running)
	}
	return s.running, healthTimeout - time.Since(s.began)
}

// run calls with a context of its own, since the first who asks may leave first.
func (s *sharedCall[T]) run(returned chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	value, err := *new(T), goexitError()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.value, s.err, s.ended, s.running = value, err, time.Now(), nil
		close(returned)
	}()
	value, err = s.call(ctx)
}

// result returns the result, or an error if the call does not return in time.
func (s *sharedCall[T]) result(ctx context.Context) (value T, err error) {
	if returned, timeout := s.begin(); returned != nil {
		limit := time.NewTimer(timeout)
		defer limit.Stop()
		select {
		case <-returned:
		case <-ctx.Done():
			return value, ctx.Err()
		case <-limit.C:
			return value, fmt.Errorf("webhook: the inbox has not answered within %v", healthTimeout)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, s.err
}
