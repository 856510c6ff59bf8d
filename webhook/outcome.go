package webhook

import (
	"context"
	"errors"
	"strings"
	"time"
)

const (
	// noHandlerDelay keeps what no handler is there for from going round.
	noHandlerDelay = time.Minute
	// maxReason bounds what is stored of an error.
	maxReason = 4 << 10
)

// outcome is the table from the Handler's error to what becomes of the claim; see
// [Worker].
func (a *attempt) outcome(ctx context.Context, err error) Outcome {
	if err == nil || isAll(err, ErrDuplicate) {
		return Outcome{State: Done}
	}
	if stack := stackOf(err); stack != "" {
		a.logger().Error("handler panicked", "delivery", a.claim().Delivery, "stack", stack)
	}
	o := Outcome{Reason: reason(err)}
	if stopped(ctx, err) {
		o.Reason = reason(context.Cause(ctx))
	}
	switch {
	case isAll(err, ErrIgnored):
		o.State = Ignored
	case isMalformed(err):
		o.State = Dead
	case isAll(err, ErrNoHandler):
		o.State, o.Uncounted, o.Delay, o.RetryOutOfOrder = Waiting, true, noHandlerDelay, a.RetryOutOfOrder
	case errors.Is(context.Cause(ctx), ErrShutdown): // what fails then, such as a killed command, need not name the context
		o.State, o.Uncounted = Waiting, true
	case IsPermanent(err) && ctx.Err() == nil, a.claim().Last:
		o.State = Dead
	default:
		return a.again(o, err)
	}
	return o
}

// again is the outcome of a failure that is tried again. Err may be nil.
func (a *attempt) again(o Outcome, err error) Outcome {
	o.State, o.Delay, o.RetryOutOfOrder = Waiting, a.Retry.Delay(a.claim().Attempt), a.RetryOutOfOrder
	if after, ok := errors.AsType[*retryAfterError](err); ok {
		o.Delay = after.after
	}
	return o
}

// reason is the text of err that is kept.
func reason(err error) string { return clipReason(err.Error()) }

// clipReason makes a text fit, as every database takes it.
func clipReason(text string) string {
	text = cleanText(text)
	return strings.ToValidUTF8(text[:min(len(text), maxReason)], "")
}
