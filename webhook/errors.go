package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"
)

// The sentinels. Errors of this module wrap one of them and say where and why;
// test with [errors.Is]. Their text never holds a secret or a computed
// signature. A decoder's own words about a body may quote a number or a time.
var (
	// ErrUnverified: the call is not proven to come from the sender.
	ErrUnverified = errors.New("webhook: not verified")
	// ErrMalformed: the body is not what the sender's format promises. As the
	// outcome of a Handler it is permanent.
	ErrMalformed = errors.New("webhook: malformed")
	// ErrMediaType: the Content-Type is not one that the Source takes.
	ErrMediaType = errors.New("webhook: media type not supported")
	// ErrTooLarge: the body is over [Source.MaxBody].
	ErrTooLarge = errors.New("webhook: body too large")
	// ErrOverloaded: a bound on memory or time was reached; nothing was kept and
	// a later try may succeed.
	ErrOverloaded = errors.New("webhook: overloaded")
	// ErrNotStored: the inbox did not take the delivery; it was not acknowledged.
	ErrNotStored = errors.New("webhook: not stored")
	// ErrDuplicate: the delivery is known. See [DuplicateError]. It is success
	// for the sender.
	ErrDuplicate = errors.New("webhook: duplicate")
	// ErrClaimLost: the claim is no longer held, because it was settled, or its
	// lease ran out and another worker has it. It is also the cause
	// ([context.Cause]) with which a callback's context ends then.
	ErrClaimLost = errors.New("webhook: claim lost")
	// ErrIgnored: the handler chose not to handle the delivery. The sender gets
	// 202; a Worker settles it as [Ignored]. Give the reason as text, "%w: %v":
	// an error that wraps another one as well is a failure.
	ErrIgnored = errors.New("webhook: ignored")
	// ErrNoHandler: nothing is registered for the delivery's type. The sender
	// gets 202; a Worker puts the delivery back uncounted, for one that has a
	// handler.
	ErrNoHandler = errors.New("webhook: no handler")
	// ErrPanic: the handler panicked, or the error that it returned does when it is
	// asked, or it ended its goroutine by runtime.Goexit.
	ErrPanic = errors.New("webhook: handler panicked")
	// ErrShutdown is the cause with which a callback's context ends when a
	// Worker's ShutdownTimeout is over. What the callback held is given back
	// uncounted.
	ErrShutdown = errors.New("webhook: worker is shutting down")
	// ErrStuck: callbacks that do not return hold every slot of a Worker, so that
	// it can work on nothing. [Worker.Run] ends with it: end the process, so that
	// what supervises it starts it anew.
	ErrStuck = errors.New("webhook: worker is stuck")
)

// StatusCode is the one table from an error to the answer that the sender gets:
//
//	ErrPanic                                        500
//	ErrNotStored                                    503
//	nil, ErrDuplicate, ErrIgnored, ErrNoHandler     202
//	ErrMalformed                                    400
//	ErrUnverified                                   401
//	ErrTooLarge                                     413
//	ErrMediaType                                    415
//	ErrOverloaded, RetryAfter                       503
//	anything else                                   500
//
// The first line that fits holds: what was not stored is never acknowledged,
// whatever else its error wraps. 405 is given by the Receiver before there is an
// error.
func StatusCode(err error) int {
	switch {
	case err == nil:
		return http.StatusAccepted
	case errors.Is(err, ErrNotStored):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrPanic):
		return http.StatusInternalServerError
	case isAll(err, ErrDuplicate), isAll(err, ErrIgnored), isAll(err, ErrNoHandler):
		return http.StatusAccepted
	case errors.Is(err, ErrMalformed):
		return http.StatusBadRequest
	case errors.Is(err, ErrUnverified):
		return http.StatusUnauthorized
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrMediaType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, ErrOverloaded), asksForLater(err):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// A DuplicateError is what [Inbox.Put] returns for a delivery that it knows,
// by its UID or by one of its DedupKeys. errors.Is(err, [ErrDuplicate]) holds.
type DuplicateError struct {
	UID     string // of the delivery that was there first
	State   State  // of that one, now
	Revived bool   // it was dead and this redelivery made it waiting again
}

// Error names the delivery that was there first, and its state.
func (e *DuplicateError) Error() string {
	if e.Revived {
		return fmt.Sprintf("%v of %s, which was dead and is %s again", ErrDuplicate, e.UID, e.State)
	}
	return fmt.Sprintf("%v of %s, which is %s", ErrDuplicate, e.UID, e.State)
}

// Is reports whether target is [ErrDuplicate].
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// IsDuplicate reports whether err says nothing but that the delivery is known.
// Of joined errors each one must say so.
func IsDuplicate(err error) bool { return isAll(err, ErrDuplicate) }

// Permanent says that trying again is of no use: a Worker settles the delivery
// as [Dead] at once. It goes before a [RetryAfter] that it wraps, or that wraps
// it. Of errors that [errors.Join] joins each one must be permanent; several %w
// of one [fmt.Errorf] are one error. It returns nil for a nil error.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// RetryAfter says when to try again: a Worker waits d instead of what its
// backoff says, and a Receiver answers 503 with Retry-After. The attempt counts.
// A negative d is zero. Of several that are joined the first holds. It returns
// nil for a nil error.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err: err, after: max(d, 0)}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

type retryAfterError struct {
	err   error
	after time.Duration
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

func asksForLater(err error) bool {
	_, ok := errors.AsType[*retryAfterError](err)
	return ok
}

// isAll is errors.Is for the sentinels that are success: of joined errors every
// one must be the target, or a failure among them would be lost.
func isAll(err, target error) bool {
	if v, ok := err.(*verdict); ok {
		return v.ask(func(err error) bool { return isAll(err, target) })
	}
	for err != nil {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all := joined.Unwrap()
			return len(all) > 0 && !slices.ContainsFunc(all, func(e error) bool { return !isAll(e, target) })
		}
		if is, ok := err.(interface{ Is(error) bool }); err == target || ok && is.Is(target) {
			return true
		}
		err = errors.Unwrap(err)
	}
	return false
}

// IsPermanent reports whether err says that no later attempt can succeed: it is
// [Permanent] or [ErrMalformed]. Of errors that [errors.Join] joins each one must
// be. It is for a Handler that calls another one and has to choose between giving up
// and trying again.
func IsPermanent(err error) bool {
	return each(err, func(err error) bool {
		_, ok := err.(*permanentError)
		return ok || isMalformedItself(err)
	})
}

// isMalformed reports whether the body is to blame, and nothing else.
func isMalformed(err error) bool { return each(err, isMalformedItself) }

func isMalformedItself(err error) bool {
	is, ok := err.(interface{ Is(error) bool })
	return err == ErrMalformed || ok && is.Is(ErrMalformed)
}

// described is the type of an fmt.Errorf with several %w: one error with several
// names, where errors.Join makes several errors.
var described = reflect.TypeOf(fmt.Errorf("%w %w", ErrMalformed, ErrMalformed))

// each reports whether holds is true of err or of one that it wraps. Of joined
// errors it must be true of each.
func each(err error, holds func(error) bool) bool {
	if v, ok := err.(*verdict); ok {
		return v.ask(func(err error) bool { return each(err, holds) })
	}
	for err != nil {
		if holds(err) {
			return true
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all := joined.Unwrap()
			if reflect.TypeOf(err) == described {
				return slices.ContainsFunc(all, func(e error) bool { return each(e, holds) })
			}
			return len(all) > 0 && !slices.ContainsFunc(all, func(e error) bool { return !each(e, holds) })
		}
		err = errors.Unwrap(err)
	}
	return false
}

// stopped reports whether err is only the end of ctx seen from inside.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}
