package webhook

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// lastMoment is what callbacks get to return after ShutdownTimeout, and then
// what giving back the rest may take.
const lastMoment = time.Second

// lastWord is what an inbox gets to return after its context has ended.
const lastWord = lastMoment / 10

// An attempt is what a Worker does under one claim: one run of the Handler, at
// most, and the settlement.
type attempt struct {
	*pool
	place *place
	lease *leaseKeeper
	held  atomic.Pointer[Claim]
	began atomic.Int64 // when the run did, after lease.begun; zero before

	returned <-chan error // of the Handler, once it was called; then closed

	result  atomic.Pointer[Outcome] // there once it is known
	settled atomic.Bool             // the claim has ended
	told    sync.Once               // which is told once
}

func (a *attempt) claim() Claim { return *a.held.Load() }

// begin notes that the run begins.
func (a *attempt) begin() { a.began.Store(max(int64(time.Since(a.lease.begun)), 1)) }

// took is how long the run has taken.
func (a *attempt) took() time.Duration {
	if began := a.began.Load(); began != 0 {
		return (time.Since(a.lease.begun) - time.Duration(began)).Round(time.Microsecond)
	}
	return 0
}

// run hands the delivery to the Handler and settles it. Whether the claim is
// still held is for the inbox to say. Stopping is Run's own context, work the one
// of callbacks.
func (a *attempt) run(stopping, work context.Context) {
	defer a.lease.stop()
	c := a.claim()
	if a.lease.doubtful() { // the claim was long in coming
		a.lease.renew(work)
	}
	a.Observer.claimed(c)
	if a.hopeless(c) {
		a.settle(Outcome{State: Dead, Reason: hopelessReason(c)})
		return
	}
	if a.place.turn != nil && !a.awaitTurn(stopping, work) {
		return
	}
	a.begin()
	ctx, cancel := context.WithCancelCause(context.WithValue(work, claimKey{}, a.claim()))
	defer cancel(nil)
	a.returned = a.call(ctx)
	err, ok := a.accompany(ctx, work, cancel)
	a.lease.quiet()
	if ok {
		a.settle(a.outcome(ctx, err))
	} else {
		a.overrun()
	}
}

// finish does what is left where a func of the Observer, or the inbox, has ended
// the goroutine of run: it waits for the Handler and settles the claim. Otherwise
// there is nothing to do.
func (a *attempt) finish() {
	if a.settled.Load() || a.staying.Err() != nil {
		return
	}
	o := a.again(Outcome{Reason: "the Observer or the inbox ended the goroutine of the attempt"}, nil)
	a.logger().Error("attempt was cut short", "delivery", a.claim().Delivery, "reason", o.Reason)
	if a.returned != nil {
		<-a.returned
	}
	if known := a.result.Load(); known != nil {
		o = *known
	}
	defer func() {
		if !a.settled.Load() && a.staying.Err() == nil { // cut short again
			a.end(o, "", ErrClaimLost)
		}
	}()
	a.settle(o)
}

// hopeless says of a claim that it is given up without another run: it has had
// its attempts, and ended the process when it ran alone. One that was only
// claimed too often, or whose MaxAttempts was lowered, runs once more, as Last.
func (p *pool) hopeless(c Claim) bool {
	return c.Crashes > 0 && c.Attempt > p.maxAttempts()
}

func hopelessReason(c Claim) string {
	text := "it ended the process when it ran alone"
	if c.Crashes > 1 {
		text = fmt.Sprintf("it ended the process %d times when it ran alone", c.Crashes)
	}
	if c.Reason != "" {
		text += "; before that: " + c.Reason
	}
	return clipReason(text)
}

// call runs the Handler in a goroutine of its own, which it may end. When it has
// returned, returned has its error.
func (a *attempt) call(ctx context.Context) (returned <-chan error) {
	ended := make(chan error, 1)
	go func() {
		err := exited()
		defer func() {
			ended <- err
			close(ended)
		}()
		err = judged(ctx, a.handler, a.claim().Delivery)
	}()
	return ended
}

// errTimedOut ends the context of an attempt that ran into Worker.Timeout. The
// claim is held for one lease more, and its outcome counts until then.
var errTimedOut = &timedOut{}

type timedOut struct{}

func (*timedOut) Error() string        { return "webhook: attempt took longer than Worker.Timeout" }
func (*timedOut) Is(target error) bool { return target == ErrClaimLost }

// accompany keeps the claim while the callback runs, and ends its context when
// the claim is lost or the time is over. It reports false when the callback has
// not returned one lease after that.
func (a *attempt) accompany(ctx, work context.Context, cancel context.CancelCauseFunc) (err error, ok bool) {
	limit := time.NewTimer(a.timeout())
	defer limit.Stop()
	over := false
	for {
		select {
		case err := <-a.returned:
			return err, true
		case <-a.staying.Done():
			return <-a.returned, true
		case <-limit.C:
			if over {
				return nil, false
			}
			over = true
			cancel(errTimedOut)
			limit.Reset(a.lease.length)
		case <-a.lease.beat.C:
			if a.lease.renew(work) {
				a.lease.beat.Stop()
				cancel(ErrClaimLost)
			}
		case err := <-a.lease.answers:
			switch {
			case a.lease.heard(err):
				a.lease.beat.Stop()
				cancel(ErrClaimLost)
			case err != nil && ctx.Err() == nil:
				a.logger().Warn("lease could not be renewed", "delivery", a.claim().Delivery, "reason", err)
			}
		}
	}
}
