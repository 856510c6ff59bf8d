package webhook

import (
	"errors"
	"time"
)

// The bounds of [Postpone]. Without the lower one, a Worker would claim the delivery
// again and again.
const (
	shortestPostponement = 10 * time.Millisecond
	longestPostponement  = 24 * time.Hour
)

// Permanent returns an error after which a Worker does not try the delivery again: it
// settles it as [Dead] at once. Permanent takes precedence over a [RetryAfter] that it
// wraps, or that wraps it. If [errors.Join] joins several errors, each must be
// permanent. An [fmt.Errorf] with several %w counts as one error. Permanent returns nil
// if err is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// Postpone returns an error that says that the callback has not tried: a circuit breaker
// is open, a rate is used up, or what it needs cannot be read. A Worker puts the delivery
// back for d:
//
//   - The run does not count as an attempt and leaves no [Attempt]. So MaxAttempts never
//     ends a delivery that is postponed, however often. Compare [Delivery.ReceivedAt] with
//     the clock if it must end.
//   - The younger deliveries of its ordering key wait, also with Worker.RetryOutOfOrder. To
//     let them run, wrap the error with [RetryOutOfOrder].
//   - It is logged at level Debug. An Observer gets an Outcome that is Waiting and
//     Uncounted.
//   - It takes precedence over every error that it wraps, or that wraps it, such as
//     Permanent. It applies after Timeout and ShutdownTimeout too.
//   - If [errors.Join] joins several errors, each must be Postpone. Otherwise the run has
//     failed, and Postpone counts as a RetryAfter.
//
// A d of less than 10 ms counts as 10 ms, and one of more than 24 h as 24 h. A Receiver
// answers 503 with Retry-After. Postpone returns nil if err is nil.
func Postpone(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err: err, after: min(max(d, shortestPostponement), longestPostponement), postponed: true}
}

// RetryOutOfOrder returns an error that lets the younger deliveries of the ordering key
// run while this delivery waits for its retry. It is for one failure what
// [Worker.RetryOutOfOrder] is for all, and changes nothing else: the attempt counts, and
// the delay is that of a [RetryAfter] or of the Backoff. If [errors.Join] joins several
// errors, each must be RetryOutOfOrder. It has no effect on a delivery that is put back
// after ShutdownTimeout, and in a Receiver. RetryOutOfOrder returns nil if err is nil.
func RetryOutOfOrder(err error) error {
	if err == nil {
		return nil
	}
	return &outOfOrderError{err}
}

// RetryAfter returns an error that says when to try again: a Worker waits d instead of
// the delay of its Backoff, and a Receiver answers 503 with Retry-After. The attempt
// counts. A negative d is treated as zero. If several RetryAfter are joined, the first
// applies. RetryAfter returns nil if err is nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err: err, after: max(d, 0)}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

type outOfOrderError struct{ err error }

func (e *outOfOrderError) Error() string { return e.err.Error() }
func (e *outOfOrderError) Unwrap() error { return e.err }

// A retryAfterError is a RetryAfter or a Postpone.
type retryAfterError struct {
	err       error
	after     time.Duration
	postponed bool
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

func hasRetryAfter(err error) bool {
	_, ok := errors.AsType[*retryAfterError](err)
	return ok
}

// IsPermanent reports whether err is [Permanent] or [ErrMalformed], so that no later
// attempt can succeed. If [errors.Join] joins several errors, each must be one of the
// two. IsPermanent is for a Handler that calls another one and must decide whether to
// try again.
func IsPermanent(err error) bool {
	return each(err, func(err error) bool {
		_, ok := err.(*permanentError)
		return ok || isMalformedItself(err)
	})
}

// IsPostponed reports whether err is [Postpone]. If [errors.Join] joins several errors,
// each must be.
func IsPostponed(err error) bool {
	_, ok := postponement(err)
	return ok
}

// postponement returns the delay of err if that is [Postpone].
func postponement(err error) (after time.Duration, ok bool) {
	ok = each(err, func(err error) bool {
		e, is := err.(*retryAfterError)
		is = is && e.postponed
		if is && after == 0 { // the first of several
			after = e.after
		}
		return is
	})
	return after, ok
}

// isOutOfOrder reports whether err is [RetryOutOfOrder].
func isOutOfOrder(err error) bool {
	return each(err, func(err error) bool {
		_, ok := err.(*outOfOrderError)
		return ok
	})
}
