package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// The sentinel errors. The errors of this module wrap one of them and say where and
// why. Test for them with [errors.Is]. Their text never contains a secret or a computed
// signature. The text of a decoder's error may quote a number or a time of the body.
var (
	// ErrUnverified: the request is not proven to come from the sender.
	ErrUnverified = errors.New("webhook: not verified")
	// ErrMalformed: the body does not have the sender's format. If a Handler returns
	// it, the delivery is not tried again.
	ErrMalformed = errors.New("webhook: malformed")
	// ErrMediaType: the Source does not accept the Content-Type.
	ErrMediaType = errors.New("webhook: media type not supported")
	// ErrTooLarge: the body is larger than [Source.MaxBody].
	ErrTooLarge = errors.New("webhook: body too large")
	// ErrBodyRead: the body ended before its Content-Length, without an error. A sender cannot
	// cause that: an earlier handler of the program has read from it.
	ErrBodyRead = errors.New("webhook: body incomplete")
	// ErrOverloaded: a limit of memory or time was reached, or a func of a verifier could
	// not look up keys or a URL. Nothing was stored. A later try may succeed.
	ErrOverloaded = errors.New("webhook: overloaded")
	// ErrNotStored: the inbox did not store the delivery. It was not acknowledged.
	ErrNotStored = errors.New("webhook: not stored")
	// ErrDuplicate: the delivery was already stored. See [DuplicateError]. For the sender
	// it is a success.
	ErrDuplicate = errors.New("webhook: duplicate")
	// ErrClaimLost: the claim is no longer held. It was settled, or its lease expired and
	// another Worker has claimed the delivery. It is also the cause ([context.Cause]) with
	// which the callback's context then ends.
	ErrClaimLost = errors.New("webhook: claim lost")
	// ErrIgnored: the Handler chose not to handle the delivery. The sender gets 202. A
	// Worker settles the delivery as [Ignored]. To add a reason use fmt.Errorf with
	// "%w: %v". With a second %w the error counts as a failure.
	ErrIgnored = errors.New("webhook: ignored")
	// ErrNoHandler: no Handler is registered for the type of the delivery. The sender
	// gets 202. A Worker puts the delivery back uncounted, so that a Worker with a Handler
	// can claim it. [Worker.Run] returns it if [Worker.Types] has such a type.
	ErrNoHandler = errors.New("webhook: no handler")
	// ErrPanic: the Handler panicked, or a method of its error panicked, or it called
	// runtime.Goexit.
	ErrPanic = errors.New("webhook: handler panicked")
	// ErrShutdown is the cause with which a callback's context ends when the
	// ShutdownTimeout of a Worker is over. The delivery is put back uncounted if the
	// callback then fails or does not return.
	ErrShutdown = errors.New("webhook: worker is shutting down")
	// ErrRunning: Run or Drain of a Worker was called while another one had not returned, or
	// Run of a Service a second time.
	ErrRunning = errors.New("webhook: already running")
	// ErrStuck: callbacks that do not return hold all slots of a Worker, so it cannot
	// work. [Worker.Run] returns it. End the process then, so that its supervisor
	// restarts it.
	ErrStuck = errors.New("webhook: worker is stuck")
)

// StatusCode returns the status of the answer to a request whose Handler returned err,
// or that was refused with err:
//
//	ErrNotStored, Postpone                          503
//	ErrPanic                                        500
//	nil, ErrDuplicate, ErrIgnored, ErrNoHandler     202
//	ErrMalformed                                    400
//	ErrUnverified                                   401
//	ErrTooLarge                                     413
//	ErrMediaType                                    415
//	ErrOverloaded, RetryAfter                       503
//	anything else                                   500
//
// The first matching line applies. So a delivery that was not stored is never
// acknowledged, whatever else its error wraps. If err joins several errors, the line of
// 202 matches only if all of them are ErrDuplicate, or all are ErrIgnored, or all are
// ErrNoHandler. A Receiver answers other methods than POST with 405 before there is an
// error, and what [Source.Handshake] answers with the status of its [Answer].
func StatusCode(err error) int {
	switch {
	case err == nil:
		return http.StatusAccepted
	case errors.Is(err, ErrNotStored), IsPostponed(err):
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
	case errors.Is(err, ErrOverloaded), hasRetryAfter(err):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// A DuplicateError is returned by [Inbox.Put] for a delivery whose UID, or one of whose
// DedupKeys, is already stored. errors.Is(err, [ErrDuplicate]) holds.
type DuplicateError struct {
	UID     string // of the delivery that was stored first
	State   State  // of that delivery, now
	Revived bool   // that delivery was dead, and this redelivery made it waiting again
}

// Error contains the UID and the state of the delivery that was stored first.
func (e *DuplicateError) Error() string {
	if e.Revived {
		return fmt.Sprintf("%v of %s, which was dead and is %s again", ErrDuplicate, e.UID, e.State)
	}
	return fmt.Sprintf("%v of %s, which is %s", ErrDuplicate, e.UID, e.State)
}

// Is reports whether target is [ErrDuplicate].
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// IsDuplicate reports whether err is [ErrDuplicate] and nothing else. If err joins
// several errors, each must be ErrDuplicate.
func IsDuplicate(err error) bool { return isAll(err, ErrDuplicate) }

// DeadDuplicate returns the UID of the dead delivery that err refuses another one as a
// duplicate of, if there is one: the first if err joins several. Such a refusal is a
// success for a Worker, as that of any duplicate. But the dead delivery does not run
// again by it, only by a replay of its own; see [Admin].
func DeadDuplicate(err error) (uid string, ok bool) {
	each(err, func(err error) bool {
		known, is := err.(*DuplicateError)
		if is && !ok && known.State == Dead {
			uid, ok = known.UID, true
		}
		return is // look at all that are joined
	})
	return uid, ok
}

// isAll is errors.Is for the sentinels that count as success. If err joins several
// errors, each must be the target: otherwise a failure among them would be lost.
func isAll(err, target error) bool {
	if s, ok := err.(*safeError); ok {
		return s.ask(func(err error) bool { return isAll(err, target) })
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

// isMalformed reports whether err is ErrMalformed. If err joins several errors, each
// must be.
func isMalformed(err error) bool { return each(err, isMalformedItself) }

func isMalformedItself(err error) bool {
	is, ok := err.(interface{ Is(error) bool })
	return err == ErrMalformed || ok && is.Is(ErrMalformed)
}

// multiWrap is the type of an fmt.Errorf with several %w. It is one error that wraps
// several, whereas errors.Join joins several errors.
var multiWrap = reflect.TypeOf(fmt.Errorf("%w %w", ErrMalformed, ErrMalformed))

// each reports whether holds is true of err or of an error that it wraps. If err joins
// several errors, holds must be true of each.
func each(err error, holds func(error) bool) bool {
	if s, ok := err.(*safeError); ok {
		return s.ask(func(err error) bool { return each(err, holds) })
	}
	for err != nil {
		if holds(err) {
			return true
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all := joined.Unwrap()
			if reflect.TypeOf(err) == multiWrap {
				return slices.ContainsFunc(all, func(e error) bool { return each(e, holds) })
			}
			return len(all) > 0 && !slices.ContainsFunc(all, func(e error) bool { return !each(e, holds) })
		}
		err = errors.Unwrap(err)
	}
	return false
}
