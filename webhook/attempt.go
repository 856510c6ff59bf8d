package webhook

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// An attempt is the work of a Worker under one claim: at most one run of the
// Handler, and the settlement.
type attempt struct {
	pool    *pool
	runCtx  context.Context // that of Handlers, before the attempt's own values
	place   *place
	lease   *leaseKeeper
	current atomic.Pointer[Claim]
	began   atomic.Int64 // when the run began, in nanoseconds after lease.start; zero before

	typ     string // of the delivery
	policy  policy // of the type
	suspect bool   // the inbox must begin it

	returned <-chan error // receives the Handler's error, then is closed; nil before the call

	postponed  atomic.Bool             // the Handler returned Postpone
	result     atomic.Pointer[Outcome] // nil until the outcome is known
	finished   atomic.Bool             // the claim has ended
	reportOnce sync.Once               // reports the end of the claim
}

func (a *attempt) claim() Claim { return *a.current.Load() }

// context returns a context with the values that the Handler's has.
func (a *attempt) context() context.Context {
	return context.WithValue(a.runCtx, claimKey{}, a.claim())
}

// begin records that the run begins.
func (a *attempt) begin() { a.began.Store(max(int64(time.Since(a.lease.start)), 1)) }

// took returns the duration of the run so far, zero if it has not begun.
func (a *attempt) took() time.Duration {
	if began := a.began.Load(); began != 0 {
		return (time.Since(a.lease.start) - time.Duration(began)).Round(time.Microsecond)
	}
	return 0
}

// run calls the Handler and settles the claim. Whether the claim is still held is
// decided by the inbox. ctx is that of Run, runCtx that of Handlers.
func (a *attempt) run(ctx, runCtx context.Context) {
	defer a.lease.stop()
	c := a.claim()
	if a.lease.mayExpire() { // Claim took long to return
		a.lease.renew(runCtx)
	}
	a.pool.Observer.claimed(a.context(), c)
	if a.policy.isExhausted(c) {
		a.settle(a.policy.exhausted(c))
		return
	}
	if a.suspect && !a.awaitTurn(ctx, runCtx) {
		return
	}
	a.begin()
	handlerCtx, cancel := context.WithCancelCause(a.context())
	defer cancel(nil)
	a.returned = a.call(handlerCtx)
	err, ok := a.wait(handlerCtx, runCtx, cancel)
	a.lease.stopRenewing()
	if !ok {
		a.settleOverdue()
		return
	}
	a.logPanic(err)
	a.postponed.Store(IsPostponed(err))
	a.settle(a.policy.decide(a.claim(), err, context.Cause(handlerCtx)))
}

// recoverGoexit finishes an attempt whose goroutine was ended by a func of the
// Observer or by the inbox: it waits for the Handler and settles the claim. It does
// nothing if the attempt has ended by itself.
func (a *attempt) recoverGoexit() {
	if a.finished.Load() || a.pool.abandoned.Err() != nil {
		return
	}
	o := a.policy.retry(a.claim(), "the Observer or the inbox ended the goroutine of the attempt", nil)
	a.pool.logger().Error("attempt was cut short", "delivery", a.claim().Delivery, "reason", o.Reason)
	if a.returned != nil {
		<-a.returned
	}
	if known := a.result.Load(); known != nil {
		o = *known
	}
	defer func() {
		if !a.finished.Load() && a.pool.abandoned.Err() == nil { // ended again
			a.report(o, "", ErrClaimLost)
		}
	}()
	a.settle(o)
}

// call runs the Handler in a goroutine of its own, which the Handler may end. The
// result receives the Handler's error and is then closed.
func (a *attempt) call(ctx context.Context) <-chan error {
	returned := make(chan error, 1)
	go func() {
		err := goexitError()
		defer func() {
			returned <- err
			close(returned)
		}()
		err = callHandler(ctx, a.pool.handler, a.claim().Delivery)
	}()
	return returned
}

// wait renews the lease until the Handler returns, and ends the Handler's context,
// which is ctx, when the claim is lost or Timeout is over. It reports false if the
// Handler has not returned one lease after Timeout.
func (a *attempt) wait(ctx, runCtx context.Context, cancel context.CancelCauseFunc) (err error, ok bool) {
	limit := time.NewTimer(a.policy.timeout)
	defer limit.Stop()
	timedOut := false
	for {
		select {
		case err := <-a.returned:
			return err, true
		case <-a.pool.abandoned.Done():
			return <-a.returned, true
		case <-limit.C:
			if timedOut {
				return nil, false
			}
			timedOut = true
			cancel(errTimedOut)
			limit.Reset(a.lease.length)
		case <-a.lease.ticker.C:
			if a.lease.renew(runCtx) {
				a.lease.ticker.Stop()
				cancel(ErrClaimLost)
			}
		case err := <-a.lease.answers:
			switch {
			case a.lease.renewed(err):
				a.lease.ticker.Stop()
				cancel(ErrClaimLost)
			case err != nil && ctx.Err() == nil:
				a.pool.logger().Warn("lease could not be renewed", "delivery", a.claim().Delivery, "reason", err)
			}
		}
	}
}

func (a *attempt) logPanic(err error) {
	if stack := stackOf(err); stack != "" {
		a.pool.logger().Error("handler panicked", "delivery", a.claim().Delivery, "stack", stack)
	}
}
