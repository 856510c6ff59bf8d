package spool

import (
	"context"
	"time"
)

const (
	// checkInterval is how often local is checked. It doubles up to maxCheckInterval
	// while the check fails.
	checkInterval    = 200 * time.Millisecond
	maxCheckInterval = 5 * time.Second
	// pauseInterval is the time between two pauses, or from a failover to the first.
	pauseInterval = 10 * pauseFor
	// pauseCheck is how often local is checked during a pause.
	pauseCheck = 5 * time.Millisecond
	// pauseBelow is the number of deliveries in local from which on there is no pause:
	// they would not be forwarded in time.
	pauseBelow = 64
)

// failbackLoop checks whether deliveries can go to primary again, until ctx is done: at
// once, after each settlement of the relay, and every checkInterval, because a lease can
// run out without an event.
func (s *Spool) failbackLoop(ctx context.Context) {
	wait, lastPause := checkInterval, time.Now()
	for {
		n, err := s.tryFailback(ctx, pauseBelow)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.logger().Error("local inbox could not be checked for pending deliveries", "reason", err)
			wait = min(wait*2, maxCheckInterval)
		case s.router.toPrimary():
			wait, lastPause = checkInterval, time.Now()
		default:
			wait = checkInterval
			if n < pauseBelow && s.breaker.closed() && time.Since(lastPause) >= pauseInterval {
				s.pauseIntake(ctx)
				lastPause = time.Now()
			}
		}
		s.awaitForwarded(ctx, wait)
	}
}

// tryFailback sends deliveries to primary if local is empty. It returns how many
// deliveries are in local, counting up to limit.
func (s *Spool) tryFailback(ctx context.Context, limit int) (int, error) {
	if s.router.toPrimary() {
		return 0, nil
	}
	begun, quiet := s.router.snapshot()
	ctx, cancel := context.WithTimeout(ctx, s.primaryTimeout())
	defer cancel()
	n, err := s.inbox.Pending(ctx, limit)
	if err == nil && n == 0 && quiet && s.router.restore(begun) {
		s.logger().Info("local inbox is empty; deliveries go to the primary one")
	}
	return n, err
}

// pauseIntake makes new deliveries wait for a moment while the last ones in local are
// forwarded. Without it local would never be observed empty under steady traffic.
func (s *Spool) pauseIntake(ctx context.Context) {
	defer s.router.pause()()
	ctx, cancel := context.WithTimeout(ctx, pauseFor)
	defer cancel()
	for {
		if _, err := s.tryFailback(ctx, 1); err != nil || s.router.toPrimary() || !s.breaker.closed() {
			return
		}
		s.awaitForwarded(ctx, pauseCheck)
		if ctx.Err() != nil {
			return
		}
	}
}

// awaitForwarded returns when the relay has settled a delivery, after the given time, or
// when ctx is done.
func (s *Spool) awaitForwarded(ctx context.Context, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.forwarded:
	case <-timer.C:
	}
}
