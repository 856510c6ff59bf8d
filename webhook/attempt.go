package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// lastMoment is what callbacks get to return after Grace, and then what giving
// back the rest may take.
const lastMoment = time.Second

// An attempt is what a Worker does under one claim: one run of the Handler, at
// most, and the settlement.
type attempt struct {
	*pool
	place *place
	lease *leaseKeeper
	held  atomic.Pointer[Claim]
	began atomic.Int64 // when the run did, after lease.begun; zero before

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
	a.Observe.claimed(c)
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
	returned := a.call(ctx)
	err, ok := a.accompany(ctx, work, cancel, returned)
	a.lease.quiet()
	if ok {
		a.settle(a.outcome(ctx, err))
	} else {
		a.overrun(returned)
	}
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
		defer func() { ended <- err }()
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
func (a *attempt) accompany(ctx, work context.Context, cancel context.CancelCauseFunc, returned <-chan error) (err error, ok bool) {
	limit := time.NewTimer(a.timeout())
	defer limit.Stop()
	over := false
	for {
		select {
		case err := <-returned:
			return err, true
		case <-a.staying.Done():
			return <-returned, true
		case <-limit.C:
			if over {
				return nil, false
			}
			over = true
			cancel(errTimedOut)
			limit.Reset(a.lease.length)
		case <-a.lease.beat.C:
			a.lease.renew(work)
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

// awaitTurn waits until a suspect may run, and begins it. It reports false when
// the claim has ended instead.
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
	var again <-chan time.Time
	for pause := a.poll(); ; {
		select {
		case <-stopping.Done():
			a.settle(Outcome{State: Waiting, Reason: a.claim().Reason, Uncounted: true})
			return false
		case <-a.staying.Done():
			return false
		case <-a.lease.beat.C:
			a.lease.renew(work)
		case err := <-a.lease.answers:
			if a.lease.heard(err) {
				a.end(Outcome{}, "", ErrClaimLost)
				return false
			}
		case <-turn:
			turn, begun = nil, a.beginSuspect(asking)
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
			again = time.After(pause)
			pause = min(pause*2, longestPause)
		}
	}
}

// beginSuspect tells the inbox that the run of a suspect begins, and gets its body. That
// may take as long as the run: the body may be what nobody could receive in the
// time that a claim has. The lease is renewed meanwhile.
func (a *attempt) beginSuspect(asking context.Context) <-chan error {
	answer := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(asking, a.timeout())
		defer cancel()
		c, err := a.inbox.Begin(ctx, a.claim())
		if err == nil {
			c.Last = a.claim().Last
			a.held.Store(&c)
		}
		answer <- err
	}()
	return answer
}
