package webhook

import (
	"context"
	"errors"
	"time"
)

// awaitTurn waits until a suspect may run, and begins it. It reports false if the
// claim has ended instead. A suspect that cannot begin for one lease is put back, so
// that other deliveries do not wait for it.
func (a *attempt) awaitTurn(ctx, runCtx context.Context) bool {
	beginCtx, cancel := context.WithCancel(runCtx)
	var begun <-chan error // answer to the Begin in progress; nil if there is none
	defer func() {
		cancel()
		if begun != nil {
			<-begun
		}
	}()
	turn := a.place.turn
	if turn == nil { // SuspectsRunTogether
		turn = make(chan struct{})
		close(turn)
	}
	var turnStart time.Time
	var retry <-chan time.Time
	for pause := a.pool.pollInterval(); ; {
		select {
		case <-ctx.Done():
			a.settle(Outcome{State: Waiting, Reason: a.claim().Reason, Uncounted: true})
			return false
		case <-a.pool.abandoned.Done():
			return false
		case <-a.lease.ticker.C:
			if a.lease.renew(runCtx) {
				a.report(Outcome{}, "", ErrClaimLost)
				return false
			}
		case err := <-a.lease.answers:
			if a.lease.renewed(err) {
				a.report(Outcome{}, "", ErrClaimLost)
				return false
			}
		case <-turn:
			turn, turnStart, begun = nil, time.Now(), a.beginSuspect(beginCtx)
		case <-retry:
			begun = a.beginSuspect(beginCtx)
		case err := <-begun:
			begun = nil
			switch {
			case err == nil && ctx.Err() == nil:
				return true
			case err == nil:
				continue // ctx has ended: the delivery is put back
			case errors.Is(err, ErrClaimLost):
				a.report(Outcome{}, "", err)
				return false
			}
			a.pool.logger().Error("attempt could not begin", "delivery", a.claim().Delivery, "reason", err)
			if spent := time.Since(turnStart); spent >= a.lease.length {
				a.settle(a.policy.notBegun(a.claim(), spent, err))
				return false
			}
			retry = time.After(pause)
			pause = min(pause*2, longestPause)
		}
	}
}

// beginSuspect asks the inbox to begin a suspect and to return its body. The inbox may
// take the Timeout of the attempt, since the body may take long to arrive. The lease is
// renewed meanwhile.
func (a *attempt) beginSuspect(ctx context.Context) <-chan error {
	answer := make(chan error, 1)
	go func() {
		err := goexitError()
		defer func() { answer <- err }()
		ctx, cancel := context.WithTimeout(ctx, a.policy.timeout)
		defer cancel()
		c, beginErr := a.pool.inbox.Begin(ctx, a.claim())
		if beginErr == nil {
			c.Last = a.claim().Last
			a.current.Store(&c)
		}
		err = beginErr
	}()
	return answer
}
