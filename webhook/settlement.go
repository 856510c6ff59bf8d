package webhook

import (
	"context"
	"errors"
	"time"
)

// settle asks the inbox to settle the claim until it is settled or lost, or Run
// leaves: the work is done, and an outage must not have it done twice. For the
// first lease in which that fails nothing is claimed, since it could not be settled
// either. After that it may be this delivery alone, and the Worker claims again;
// it never claims this one, see registry.
func (a *attempt) settle(o Outcome) {
	a.result.Store(&o)
	var failed time.Time // first
	holding := false
	free := func() {
		if holding {
			holding = false
			a.line.release()
		}
	}
	defer free()
	overdue := false // the settlement
	defer func() {
		if overdue {
			a.unsettled.Add(-1)
		}
	}()
	for pause := a.pollInterval(); ; pause = min(pause*2, longestPause) {
		if a.staying.Err() != nil || a.settleOnce(o) {
			return
		}
		switch {
		case failed.IsZero():
			failed, holding = time.Now(), true
			a.line.hold()
		case time.Since(failed) >= a.lease.length && !overdue:
			overdue = true
			a.unsettled.Add(1)
			free()
			a.line.leave(a.place)
		}
		wait := time.NewTimer(pause)
		select {
		case <-a.staying.Done():
		case <-wait.C:
		}
		wait.Stop()
	}
}

// settleOnce asks the inbox once, for one lease at most. It reports whether there
// is nothing more to do: the claim has ended, or abandon ends it.
func (a *attempt) settleOnce(o Outcome) bool {
	ctx, cancel := context.WithTimeout(a.staying, a.lease.length)
	defer cancel()
	came, err := a.inbox.Settle(ctx, a.claim(), o)
	if err != nil && a.staying.Err() != nil {
		return true // abandon settles it
	}
	return a.end(o, came, err)
}

// abandon ends the claim of an attempt for which Run waits no longer. If its
// outcome is known it is settled by that; otherwise the callback has ignored the
// end of its context, and the delivery is given back uncounted.
func (a *attempt) abandon(ctx context.Context) {
	a.lease.letGo()
	if a.settled.Load() {
		return
	}
	o := Outcome{State: Waiting, Reason: reason(ErrShutdown), Uncounted: true}
	if known := a.result.Load(); known != nil {
		o = *known
	}
	if came, err := a.inbox.Settle(ctx, a.claim(), o); !a.end(o, came, err) {
		a.end(o, "", ErrClaimLost)
	}
}

// end takes the inbox's answer to a settlement and reports whether the claim has
// ended. The log and the Observer are told of the end once.
func (a *attempt) end(o Outcome, came State, err error) bool {
	switch {
	case err == nil:
		a.told.Do(func() {
			defer a.close()
			if came != o.State {
				o = Outcome{State: came, Reason: o.Reason}
			}
			a.logOutcome(o)
			a.Observer.settled(a.claim(), o, a.took())
		})
	case errors.Is(err, ErrClaimLost):
		a.told.Do(func() {
			defer a.close()
			a.logger().Warn("claim was lost; its delivery may run again", a.attrs(o)...)
			a.Observer.lost(a.claim())
		})
	default:
		a.failed(err)
		a.logger().Error("claim could not be settled", "delivery", a.claim().Delivery, "reason", err)
		return false
	}
	return true
}

func (a *attempt) close() {
	a.settled.Store(true)
	a.open.Done()
}

// logOutcome logs an outcome that is not a success.
func (a *attempt) logOutcome(o Outcome) {
	switch {
	case o.State == Dead:
		a.logger().Error("delivery is dead", a.attrs(o)...)
	case o.State == Waiting:
		a.logger().Warn("delivery will be tried again", append(a.attrs(o), "delay", o.Delay)...)
	case o.State == Superseded:
		a.logger().Warn("delivery will not be tried again: a newer one took its place", a.attrs(o)...)
	case o.State == Done && o.Reason != "":
		a.logger().Error("handler failed after its delivery was settled as done", a.attrs(o)...)
	}
}

func (a *attempt) attrs(o Outcome) []any {
	c := a.claim()
	return []any{"delivery", c.Delivery, "attempt", c.Attempt, "reason", o.Reason}
}
