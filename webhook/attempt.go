package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lastMoment is what callbacks get to return after Grace, and then what giving
	// back the rest may take.
	lastMoment = time.Second
	// noHandlerDelay keeps what no handler is there for from going round.
	noHandlerDelay = time.Minute
	// maxReason bounds what is stored of an error.
	maxReason = 4 << 10
)

// An attempt is one run of the Handler under one claim.
type attempt struct {
	*Worker
	claim  Claim
	start  time.Time
	result atomic.Pointer[Outcome] // there once the Handler has returned
	gone   chan struct{}           // closed when the Worker leaves without it
	told   sync.Once               // its end is reported once
}

// run hands the delivery to the Handler and settles it. Whether the claim is
// still held is for the inbox to say.
func (a *attempt) run(work context.Context) {
	a.Observe.claimed(a.claim)
	if a.claim.Attempt > a.maxAttempts() {
		a.settle(work, Outcome{State: Dead, Reason: "more attempts than allowed: it ended the worker each time"})
		return
	}
	ctx, cancel := context.WithCancelCause(context.WithValue(work, claimKey{}, a.claim))
	defer cancel(nil) // a Handler may end its goroutine
	var beating sync.WaitGroup
	beating.Go(func() { a.heartbeat(ctx, cancel) })
	err := safely(ctx, a.handler, a.claim.Delivery)
	out := a.outcome(ctx, err)
	cancel(nil)
	beating.Wait()
	a.settle(work, out)
}

// errTimedOut ends the context of an attempt that ran into Worker.Timeout. The
// claim may still be held then, and its outcome counts.
var errTimedOut = &timedOut{}

type timedOut struct{}

func (*timedOut) Error() string        { return "webhook: attempt took longer than Worker.Timeout" }
func (*timedOut) Is(target error) bool { return target == ErrClaimLost }

// heartbeat renews the lease until ctx ends or Timeout is over. A lease that
// cannot be renewed in time is taken for lost.
func (a *attempt) heartbeat(ctx context.Context, cancel context.CancelCauseFunc) {
	lease := a.lease()
	beat := time.NewTicker(lease / 3)
	defer beat.Stop()
	limit := time.NewTimer(a.timeout())
	defer limit.Stop()
	held := time.Now().Add(lease)
	for {
		select {
		case <-ctx.Done():
			return
		case <-limit.C:
			cancel(errTimedOut)
			return
		case <-beat.C:
		}
		asked := time.Now()
		err := a.extend(ctx, lease)
		switch {
		case err == nil:
			held = asked.Add(lease)
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrClaimLost), !time.Now().Before(held):
			cancel(ErrClaimLost)
			return
		default:
			a.logger().Warn("lease could not be renewed", "delivery", a.claim.Delivery, "reason", err)
		}
	}
}

func (a *attempt) extend(ctx context.Context, lease time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, lease/3)
	defer cancel()
	return a.inbox.Extend(ctx, a.claim, lease)
}

// outcome is the table from the Handler's error to what becomes of the claim.
func (a *attempt) outcome(ctx context.Context, err error) Outcome {
	if err == nil || isAll(err, ErrDuplicate) {
		return Outcome{State: Done}
	}
	ended, leaving := stopped(ctx, err), errors.Is(context.Cause(ctx), ErrShutdown)
	if stack := stackOf(err); stack != "" {
		a.logger().Error("handler panicked", "delivery", a.claim.Delivery, "stack", stack)
	}
	o := Outcome{Reason: reason(err)}
	if ended {
		o.Reason = reason(context.Cause(ctx))
	}
	var after *retryAfterError
	switch {
	case leaving && ended:
		o.State, o.Uncounted = Waiting, true
	case isAll(err, ErrIgnored):
		o.State = Ignored
	case isAll(err, ErrNoHandler):
		o.State, o.Uncounted, o.Delay, o.Yield = Waiting, true, noHandlerDelay, a.SkipRetrying
	case isPermanent(err):
		o.State = Dead
	case leaving: // what fails then, such as a killed command, need not name the context
		o.State, o.Uncounted = Waiting, true
	case a.claim.Last:
		o.State = Dead
	case errors.As(err, &after):
		o.State, o.Delay, o.Yield = Waiting, after.after, a.SkipRetrying
	default:
		o.State, o.Delay, o.Yield = Waiting, a.Retry.Delay(a.claim.Attempt), a.SkipRetrying
	}
	return o
}

// settle tells the inbox, again and again while the lease may still be held:
// the work is done and must not be done twice because of a hiccup.
func (a *attempt) settle(work context.Context, o Outcome) {
	a.result.Store(&o)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(work), a.lease())
	defer cancel()
	for pause := a.poll(); ; pause = min(pause*2, longestPause) {
		select {
		case <-a.gone:
			return
		default:
		}
		if a.ended(o, a.settleOnce(ctx, o)) {
			return
		}
		wait := time.NewTimer(pause)
		select {
		case <-a.gone:
		case <-wait.C:
		case <-ctx.Done():
			a.ended(o, ErrClaimLost)
			return
		}
		wait.Stop()
	}
}

// abandon settles an attempt for which the Worker waits no longer: by its
// outcome if the inbox has not taken it yet, otherwise by giving back what a
// callback holds that ignores the end of its context.
func (a *attempt) abandon(ctx context.Context) {
	close(a.gone)
	o := Outcome{State: Waiting, Reason: reason(ErrShutdown), Uncounted: true}
	if known := a.result.Load(); known != nil {
		o = *known
	}
	if !a.ended(o, a.settleOnce(ctx, o)) {
		a.ended(o, ErrClaimLost)
	}
}

// ended reports whether the inbox's answer is the end of the claim, and tells
// of that end once.
func (a *attempt) ended(o Outcome, err error) bool {
	switch {
	case err == nil:
		a.told.Do(func() {
			a.logOutcome(o)
			a.Observe.settled(a.claim, o, time.Since(a.start))
		})
	case errors.Is(err, ErrClaimLost):
		a.told.Do(func() {
			a.logger().Warn("claim was lost; its delivery may run again", a.attrs(o)...)
			a.Observe.lost(a.claim)
		})
	default:
		a.logger().Error("claim could not be settled", "delivery", a.claim.Delivery, "reason", err)
		return false
	}
	return true
}

// logOutcome tells of what is no success.
func (a *attempt) logOutcome(o Outcome) {
	switch o.State {
	case Dead:
		a.logger().Error("delivery is dead", a.attrs(o)...)
	case Waiting:
		a.logger().Warn("delivery will be tried again", append(a.attrs(o), "delay", o.Delay)...)
	}
}

func (a *attempt) attrs(o Outcome) []any {
	return []any{"delivery", a.claim.Delivery, "attempt", a.claim.Attempt, "reason", o.Reason}
}

// reason is the text of err that is kept, as every database takes it. Sprint
// survives an Error method that panics.
func reason(err error) string {
	text := cleanText(fmt.Sprint(err))
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "")
}

func (a *attempt) settleOnce(ctx context.Context, o Outcome) error {
	_, err := a.inbox.Settle(ctx, a.claim, o)
	return err
}
