package jobserv

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// The errors of a [Client] and a [CatchUp]. Compare with errors.Is. A canceled context and a
// timeout are context.Canceled and context.DeadlineExceeded.
var (
	// ErrHost means that a URL does not belong to a server given to NewClient,
	// or that a redirect leads to a place that is not allowed.
	ErrHost = errors.New("host is not allowed")
	// ErrNotFound means that the server answered 404. A [StatusError] matches
	// it.
	ErrNotFound = errors.New("not found")
	// ErrDenied means that the server answered 401 or 403. A [StatusError]
	// matches it.
	ErrDenied = errors.New("access denied")
	// ErrServer means that the server answered 500 or above. A [StatusError]
	// matches it.
	ErrServer = errors.New("server error")
	// ErrRateLimited means that a limit allows no request now. A
	// [RateLimitError] matches it, and so does a [StatusError] with 429.
	ErrRateLimited = errors.New("rate limited")
	// ErrAnswer means that an answer does not have the form of JobServ's API.
	ErrAnswer = errors.New("unexpected answer")
	// ErrTooLarge means that an answer exceeds MaxAnswer or a log exceeds
	// MaxLog.
	ErrTooLarge = errors.New("answer is too large")
)

// A StatusError is an answer that reports a failure. It matches [ErrNotFound],
// [ErrDenied], [ErrRateLimited] or [ErrServer] with errors.Is, depending on
// Code.
type StatusError struct {
	Code    int    // the HTTP status, which is 2xx if only the envelope reports an error
	Message string // the server's message, cut to 256 bytes; may be empty
}

// Error returns the status and, if there is one, the quoted message.
func (e *StatusError) Error() string {
	return api.StatusText(e.Code, e.Message)
}

// Is reports whether target is the sentinel error for the status.
func (e *StatusError) Is(target error) bool {
	switch {
	case e.Code == http.StatusNotFound:
		return target == ErrNotFound
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden:
		return target == ErrDenied
	case e.Code == http.StatusTooManyRequests:
		return target == ErrRateLimited
	case e.Code >= 500:
		return target == ErrServer
	default:
		return false
	}
}

// A RateLimitError is an answer that asks a [CatchUp] to wait, or its refusal
// to make a request before that time. It matches [ErrRateLimited] with
// errors.Is.
type RateLimitError struct {
	Until time.Time // no request is made before, by this machine's clock
	Cause error     // the [StatusError] of the answer; nil if no request was made
}

// Error returns the time and, if there is one, the cause.
func (e *RateLimitError) Error() string {
	text := "rate limited until " + e.Until.UTC().Format(time.RFC3339)
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Is reports whether target is [ErrRateLimited].
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }

// statusError returns the error for an answer. Its message is the envelope's; a
// proxy's error page has no envelope.
func statusError(code int, text []byte) *StatusError {
	var e envelope
	_ = json.Unmarshal(text, &e)
	return &StatusError{Code: code, Message: api.Message(e.Message)}
}
