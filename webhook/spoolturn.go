package webhook

import (
	"context"
	"sync"
	"time"
)

const (
	// holdFor is how long new deliveries are held up so that local runs empty, and
	// holdEvery the time from the turn to local, or the last hold, to the next.
	holdFor   = 250 * time.Millisecond
	holdEvery = 10 * holdFor
	// holdStep is how often local is looked at during a hold.
	holdStep = 5 * time.Millisecond
	// holdMost is how many deliveries in local are worth a hold.
	holdMost = 64
)

// A turnout sends new deliveries to primary or to local. The way to primary
// opens only when local was seen to be empty and nothing can have entered it
// since that look began: no put into it was under way, none has begun. The zero
// value sends to local.
type turnout struct {
	mu     sync.Mutex
	direct bool
	inside int           // puts into local under way
	begun  int64         // puts into local so far
	hold   chan struct{} // where not nil, new deliveries wait until it is closed
}

// enter reports whether a new delivery may go to primary. If not, it is counted
// as on its way into local until leave. It waits while a hold is on, holdFor at
// most.
func (t *turnout) enter(ctx context.Context) (direct bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if hold := t.hold; hold != nil {
		t.mu.Unlock()
		most := time.NewTimer(holdFor)
		select {
		case <-hold:
		case <-most.C:
		case <-ctx.Done():
		}
		most.Stop()
		t.mu.Lock()
	}
	if !t.direct {
		t.count()
	}
	return t.direct
}

// divert closes the way to primary, on behalf of a delivery that primary did
// not take and that enters local now. It reports whether the way was open.
func (t *turnout) divert() (was bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, t.direct = t.direct, false
	t.count()
	return was
}

func (t *turnout) count() {
	t.inside++
	t.begun++
}

// leave is called when a put into local has returned.
func (t *turnout) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inside--
}

// glance begins a look at local. It is of no use while puts are under way.
func (t *turnout) glance() (begun int64, quiet bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.begun, t.inside == 0
}

// open opens the way to primary if nothing has entered local since the glance.
func (t *turnout) open(begun int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.direct = t.direct || t.begun == begun
	return t.direct
}

func (t *turnout) isDirect() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.direct
}

// setHold lets new deliveries wait until release.
func (t *turnout) setHold() (release func()) {
	hold := make(chan struct{})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hold = hold
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.hold = nil
		close(hold)
	}
}

// watch looks at local until ctx ends: at once, after each settlement, and now
// and then, since a lease that runs out tells nobody.
func (s *Spool) watch(ctx context.Context) {
	pause, held := defaultPollInterval, time.Now()
	for {
		n, err := s.look(ctx, holdMost)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.logger().Error("local inbox could not be looked at", "reason", err)
			pause = min(pause*2, longestPause)
		case s.turn.isDirect():
			pause, held = defaultPollInterval, time.Now()
		default:
			pause = defaultPollInterval
			if n < holdMost && s.pace.well() && time.Since(held) >= holdEvery {
				s.holdUp(ctx)
				held = time.Now()
			}
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-s.settled:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// look opens the way to primary if local is empty. It returns how many local
// holds, at most the number given.
func (s *Spool) look(ctx context.Context, most int) (int, error) {
	if s.turn.isDirect() {
		return 0, nil
	}
	begun, quiet := s.turn.glance()
	ctx, cancel := context.WithTimeout(ctx, s.primaryTimeout())
	defer cancel()
	n, err := s.inbox.Pending(ctx, most)
	if err == nil && n == 0 && quiet && s.turn.open(begun) {
		s.logger().Info("local inbox is empty; deliveries go to the primary one")
	}
	return n, err
}

// holdUp lets new deliveries wait a moment while the last ones in local are
// forwarded. Under steady traffic local would never be seen empty.
func (s *Spool) holdUp(ctx context.Context) {
	defer s.turn.setHold()()
	ctx, cancel := context.WithTimeout(ctx, holdFor)
	defer cancel()
	for {
		if _, err := s.look(ctx, 1); err != nil || s.turn.isDirect() || !s.pace.well() {
			return
		}
		step := time.NewTimer(holdStep)
		select {
		case <-ctx.Done():
		case <-s.settled:
		case <-step.C:
		}
		step.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}
