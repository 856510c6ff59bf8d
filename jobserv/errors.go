package jobserv

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hookhouse/hookhouse/internal/api"
)

// The errors of a [Client]. Compare with errors.Is. A canceled context and a
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
	// ErrAnswer means that an answer does not have the form of JobServ's API.
	ErrAnswer = errors.New("unexpected answer")
	// ErrTooLarge means that an answer exceeds MaxAnswer or a log exceeds
	// MaxLog.
	ErrTooLarge = errors.New("answer is too large")
)

// A StatusError is an answer that reports a failure. It matches [ErrNotFound]
// or [ErrDenied] with errors.Is, depending on Code.
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
	switch e.Code {
	case http.StatusNotFound:
		return target == ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == ErrDenied
	default:
		return false
	}
}

// statusError returns the error for an answer. Its message is the envelope's; a
// proxy's error page has no envelope.
func statusError(code int, text []byte) *StatusError {
	var e envelope
	_ = json.Unmarshal(text, &e)
	return &StatusError{Code: code, Message: api.Message(e.Message)}
}
