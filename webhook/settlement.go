package webhook

import (
	"context"
	"errors"
	"time"
)

// settle asks the inbox to settle the claim until the claim is settled or lost, or
// Run has abandoned the attempt. The work is done, so it must not be done again
// because of an outage. During the first lease in which settling fails, the Worker
// claims nothing, since it could not settle that either. After that the failure may
// concern this delivery alone, and the Worker claims again, but never this
// delivery; see registry.
func (a *attempt) settle(o Outcome) {
	a.result.Store(&o)
	var firstFailure time.Time
	claimingPaused := false
	resumeClaiming := func() {
		if claimingPaused {
			claimingPaused = false
			a.pool.line.resume()
		}
	}
	defer resumeClaiming()
	unsettled := false // for one lease
	defer func() {
		if unsettled {
			a.pool.unsettled.Add(-1)
		}
	}()
	for pause := a.pool.pollInterval(); ; pause = min(pause*2, longestPause) {
		if a.pool.abandoned.Err() != nil || a.settleOnce(o) {
			return
		}
		switch {
		case firstFailure.IsZero():
			firstFailure, claimingPaused = time.Now(), true
			a.pool.line.pause()
		case time.Since(firstFailure) >= a.lease.length && !unsettled:
			unsettled = true
			a.pool.unsettled.Add(1)
			resumeClaiming()
			a.pool.line.leave(a.place)
		}
		timer := time.NewTimer(pause)
		select {
		case <-a.pool.abandoned.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// settleOnce asks the inbox once and waits at most one lease for its answer. It
// reports whether the claim has ended, or will be ended by abandon.
func (a *attempt) settleOnce(o Outcome) bool {
	ctx, cancel := context.WithTimeout(a.pool.abandoned, a.lease.length)
	defer cancel()
	state, err := a.pool.inbox.Settle(ctx, a.claim(), o)
	if err != nil && a.pool.abandoned.Err() != nil {
		return true
	}
	return a.report(o, state, err)
}

// abandon ends the claim of an attempt for which Run no longer waits. If its outcome
// is known, abandon settles the claim with it. Otherwise the Handler has ignored the
// end of its context, and the delivery is put back uncounted.
func (a *attempt) abandon(ctx context.Context) {
	a.lease.giveUp()
	if a.finished.Load() {
		return
	}
	o := Outcome{State: Waiting, Reason: reason(ErrShutdown), Uncounted: true}
	if known := a.result.Load(); known != nil {
		o = *known
	}
	if state, err := a.pool.inbox.Settle(ctx, a.claim(), o); !a.report(o, state, err) {
		a.report(o, "", ErrClaimLost)
	}
}

// report handles the inbox's answer to a settlement: the state, or an error. It
// reports whether the claim has ended. It logs the end and calls the Observer, once.
func (a *attempt) report(o Outcome, state State, err error) (ended bool) {
	switch {
	case err == nil:
		a.reportOnce.Do(func() {
			defer a.finish()
			decided := o.State
			if state != o.State {
				o = Outcome{State: state, Reason: o.Reason}
			}
			a.logOutcome(o, decided)
			a.pool.Observer.settled(a.context(), a.claim(), o, a.took())
		})
	case errors.Is(err, ErrClaimLost):
		a.reportOnce.Do(func() {
			defer a.finish()
			a.pool.logger().Warn("claim was lost; its delivery may run again", a.attrs(o)...)
			a.pool.Observer.lost(a.context(), a.claim())
		})
	default:
		a.pool.recordFailure(err)
		a.pool.logger().Error("claim could not be settled", "delivery", a.claim().Delivery, "reason", err)
		return false
	}
	return true
}

// finish records that the claim has ended.
func (a *attempt) finish() {
	a.finished.Store(true)
	a.pool.openClaims.Done()
	if a.pool.due != nil {
		a.pool.wakeClaiming()
	}
}

// logOutcome logs an outcome that is not a success. decided is the state that was to
// come of the claim.
func (a *attempt) logOutcome(o Outcome, decided State) {
	switch {
	case o.State == Dead:
		a.pool.logger().Error("delivery is dead", a.attrs(o)...)
	case o.State == Waiting && a.postponed.Load():
		a.pool.logger().Debug("delivery is postponed", append(a.attrs(o), "delay", o.Delay)...)
	case o.State == Waiting:
		a.pool.logger().Warn("delivery will be tried again", append(a.attrs(o), "delay", o.Delay)...)
	case o.State == Superseded:
		a.pool.logger().Warn("delivery will not be tried again: a newer one took its place", a.attrs(o)...)
	case o.State == Done && o.Reason != "" && decided == Done: // see deadFollowUp
		a.pool.logger().Warn("delivery is done, but what follows from it is dead", a.attrs(o)...)
	case o.State == Done && o.Reason != "":
		a.pool.logger().Error("handler failed after its delivery was settled as done", a.attrs(o)...)
	}
}

func (a *attempt) attrs(o Outcome) []any {
	c := a.claim()
	return []any{"delivery", c.Delivery, "attempt", c.Attempt, "reason", o.Reason}
}
