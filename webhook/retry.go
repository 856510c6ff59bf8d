package webhook

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Backoff is the wait between attempts: First, doubled after each further attempt
// up to Max, minus a random part of up to one half. So deliveries that fail
// together are not retried together.
type Backoff struct {
	First time.Duration // zero means 1 s
	Max   time.Duration // zero means 1 h
}

// Delay returns the wait after the given attempt. The first attempt is 1.
func (b Backoff) Delay(attempt int) time.Duration {
	d, limit := positive(b.First, defaultBackoffFirst), positive(b.Max, defaultBackoffMax)
	for range attempt - 1 {
		if d >= limit/2 {
			d = limit
			break
		}
		d *= 2
	}
	d = min(d, limit)
	return d - time.Duration(rand.Int64N(int64(d/2)+1))
}

// noHandlerDelay is the wait of a delivery without a handler. Without it, the
// Worker would claim the delivery again at once.
const noHandlerDelay = time.Minute

// Decide returns the outcome with which the Worker would settle a claim if its Handler
// returned err. It is the table in the documentation of [Worker] as a value:
//
//	State Done, Ignored or Dead     the delivery is finished
//	State Waiting                   it is tried again after Delay
//	State Waiting, Uncounted        the same, and the run does not count as an attempt:
//	                                among others, it is a [Postpone]
//
// Use it in a func that [Wrap] puts around a Handler, to treat the last failure or one
// that will be tried again differently, and in tests of the Worker's settings. The claim
// c is that of [ClaimFromContext]. Of its fields Decide reads only Attempt, and the type
// of Delivery, which may be nil. ctx is the context that the Worker passed to the
// Handler; its end changes the outcome, as the table says. Use context.Background for a
// context that has not ended.
//
// Delay has a random part, unless it is that of a [RetryAfter] or [Postpone]. Decide asks
// neither the inbox nor the Handler, and changes nothing. It is safe for concurrent use.
func (w *Worker) Decide(ctx context.Context, c Claim, err error) Outcome {
	typ := ""
	if c.Delivery != nil {
		typ = c.Delivery.Type
	}
	p := w.policyOf(typ)
	c.Last = p.isLast(c)
	return p.decide(c, toSafe(err), context.Cause(ctx))
}

// A retryPolicy decides the outcome of an attempt. It only computes: it does not
// log, and it asks neither the inbox nor the clock. Only the wait of its Backoff
// is random. Two outcomes are made elsewhere, both when Run ends: abandon in
// settlement.go puts back an attempt that is still running, and suspect.go a suspect
// that has not begun.
type retryPolicy struct {
	backoff     Backoff
	maxAttempts int
	outOfOrder  bool // [Worker.RetryOutOfOrder] or [Policy.RetryOutOfOrder]
	together    bool // [Worker.SuspectsRunTogether]
}

// decide returns the outcome of an attempt whose Handler returned err. It is the
// table in the documentation of [Worker]. cause is the cause with which the
// Handler's context had ended by then, nil if it had not ended.
func (p retryPolicy) decide(c Claim, err, cause error) Outcome {
	if after, ok := postponement(err); ok {
		return Outcome{State: Waiting, Reason: reason(err), Delay: after, Uncounted: true, RetryOutOfOrder: isOutOfOrder(err)}
	}
	if err == nil || IsDuplicate(err) {
		return Outcome{State: Done, Reason: deadFollowUp(err)}
	}
	outOfOrder := p.outOfOrder || isOutOfOrder(err)
	text := reason(err)
	if isContextEnd(err, cause) {
		text = reason(cause)
	}
	switch {
	case isAll(err, ErrIgnored):
		return Outcome{State: Ignored, Reason: text}
	case isMalformed(err):
		return Outcome{State: Dead, Reason: text}
	case isAll(err, ErrNoHandler):
		return Outcome{State: Waiting, Reason: text, Delay: noHandlerDelay, Uncounted: true, RetryOutOfOrder: outOfOrder}
	case errors.Is(cause, ErrShutdown): // err need not be the context's: a killed command returns its own
		return Outcome{State: Waiting, Reason: text, Uncounted: true}
	case IsPermanent(err) && cause == nil, c.Last:
		return Outcome{State: Dead, Reason: text}
	default:
		return p.retry(c, text, err)
	}
}

// retry returns the outcome of a failed attempt that is not the last. The wait is
// that of a [RetryAfter] in err, which may be nil, otherwise that of the Backoff.
func (p retryPolicy) retry(c Claim, reason string, err error) Outcome {
	o := Outcome{State: Waiting, Reason: reason, Delay: p.backoff.Delay(c.Attempt), RetryOutOfOrder: p.outOfOrder || isOutOfOrder(err)}
	if after, ok := errors.AsType[*retryAfterError](err); ok {
		o.Delay = after.after
	}
	return o
}

// errTimedOut is the cause with which a Handler's context ends after the Timeout of
// its attempt. The claim is held for one more lease, and the Handler's outcome
// counts until then.
var errTimedOut = &timedOut{}

type timedOut struct{}

func (*timedOut) Error() string        { return "webhook: attempt took longer than its Timeout" }
func (*timedOut) Is(target error) bool { return target == ErrClaimLost }

// overdue returns the outcome of an attempt whose Handler has not returned one
// lease after its timeout.
func (p retryPolicy) overdue(c Claim) Outcome {
	text := errTimedOut.Error() + " and has not returned"
	if c.Last {
		return Outcome{State: Dead, Reason: text}
	}
	return p.retry(c, text, nil)
}

// notBegun returns the outcome of a suspect that the inbox could not begin for the
// time spent. The delivery waits at least as long again, so that the deliveries
// that waited for it get as much time.
func (p retryPolicy) notBegun(c Claim, spent time.Duration, err error) Outcome {
	return Outcome{
		State:           Waiting,
		Reason:          clipReason("attempt could not begin: " + err.Error()),
		Delay:           max(spent, p.backoff.Delay(c.Attempt)),
		Uncounted:       true,
		RetryOutOfOrder: p.outOfOrder,
	}
}

// isLast reports whether a failure of the claim's attempt makes the delivery dead.
func (p retryPolicy) isLast(c Claim) bool { return c.Attempt >= p.maxAttempts }

// isExhausted reports whether the delivery is dead without another run: it has had
// its attempts, and the process ended while it ran alone. A delivery that was only
// claimed too often, or whose MaxAttempts was lowered, runs once more, as the last
// attempt.
func (p retryPolicy) isExhausted(c Claim) bool { return c.Crashes > 0 && c.Attempt > p.maxAttempts }

// exhausted returns the outcome of a claim for which isExhausted is true.
func (p retryPolicy) exhausted(c Claim) Outcome {
	text, times := "it ended the process when it ran alone", ""
	if c.Crashes > 1 {
		times = fmt.Sprintf(" %d times", c.Crashes)
		text = "it ended the process" + times + " when it ran alone"
	}
	if p.together {
		text = "the process ended" + times + " while it ran"
	}
	if c.Reason != "" {
		text += "; before that: " + c.Reason
	}
	return Outcome{State: Dead, Reason: clipReason(text)}
}

// deadFollowUp returns the reason of a done delivery whose Handler put a duplicate of a
// dead one, empty if it did not.
func deadFollowUp(err error) string {
	uid, ok := DeadDuplicate(err)
	if !ok {
		return ""
	}
	return fmt.Sprintf("what it put is a duplicate of %s, which is dead: replay that one", uid)
}

// isContextEnd reports whether err says no more than that the Handler's context
// has ended with the given cause.
func isContextEnd(err, cause error) bool {
	return cause != nil && (errors.Is(err, context.Canceled) || errors.Is(err, cause))
}
