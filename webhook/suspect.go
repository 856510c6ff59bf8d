package webhook

import (
	"context"
	"errors"
	"time"
)

// awaitTurn waits until a suspect may run, and begins it. It reports false when
// the claim has ended instead. A suspect that cannot begin for one lease is put
// back, so that the others do not wait for it.
func (a *attempt) awaitTurn(stopping, work context.Context) bool {
	asking, quiet := context.WithCancel(work)
	var begun <-chan error // of a begin under way
	defer func() {
		quiet()
		if begun != nil {
			<-begun
		}
	}()
	turn := a.place.turn
	var came time.Time         // the turn
	var again <-chan time.Time // to begin
	for pause := a.pollInterval(); ; {
		select {
		case <-stopping.Done():
			a.settle(Outcome{State: Waiting, Reason: a.claim().Reason, Uncounted: true})
			return false
		case <-a.staying.Done():
			return false
		case <-a.lease.beat.C:
			if a.lease.renew(work) {
				a.end(Outcome{}, "", ErrClaimLost)
				return false
			}
		case err := <-a.lease.answers:
			if a.lease.heard(err) {
				a.end(Outcome{}, "", ErrClaimLost)
				return false
			}
		case <-turn:
			turn, came, begun = nil, time.Now(), a.beginSuspect(asking)
		case <-again:
			begun = a.beginSuspect(asking)
		case err := <-begun:
			begun = nil
			switch {
			case err == nil && stopping.Err() == nil:
				return true
			case err == nil:
				continue // it is given back
			case errors.Is(err, ErrClaimLost):
				a.end(Outcome{}, "", err)
				return false
			}
			a.logger().Error("attempt could not begin", "delivery", a.claim().Delivery, "reason", err)
			if tried := time.Since(came); tried >= a.lease.length {
				a.settle(a.unbegun(tried, err))
				return false
			}
			again = time.After(pause)
			pause = min(pause*2, longestPause)
		}
	}
}

// unbegun is the outcome of a suspect that could not begin. It waits for as long
// as the others have waited for it, at least: they get their time too.
func (a *attempt) unbegun(tried time.Duration, err error) Outcome {
	return Outcome{
		State: Waiting, Uncounted: true, RetryOutOfOrder: a.RetryOutOfOrder,
		Reason: clipReason("attempt could not begin: " + err.Error()),
		Delay:  max(tried, a.Retry.Delay(a.claim().Attempt)),
	}
}

// beginSuspect asks the inbox to begin a suspect and to return its body. It may
// take Worker.Timeout, which is longer than a lease: the body may be one that
// takes long to arrive. So the lease is renewed meanwhile.
func (a *attempt) beginSuspect(asking context.Context) <-chan error {
	answer := make(chan error, 1)
	go func() {
		err := exited()
		defer func() { answer <- err }()
		ctx, cancel := context.WithTimeout(asking, a.timeout())
		defer cancel()
		c, failed := a.inbox.Begin(ctx, a.claim())
		if failed == nil {
			c.Last = a.claim().Last
			a.held.Store(&c)
		}
		err = failed
	}()
	return answer
}
