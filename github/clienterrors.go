package github

import (
	"errors"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// The errors of a [Client] and a [CatchUp]. Compare with errors.Is. A canceled context and
// a timeout are context.Canceled and context.DeadlineExceeded.
var (
	// ErrBase means that the base given to [NewClient] is not a valid URL of an API.
	ErrBase = errors.New("base is not an absolute http or https URL without user information, query and fragment")
	// ErrDenied means that the API refused the credentials: they are wrong or have expired
	// (401), or they lack a right (403).
	ErrDenied = errors.New("access denied")
	// ErrHookNotFound means that there is no such hook or delivery (404). GitHub answers 404
	// too if the credentials do not allow to see a private repository
	// (https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api).
	ErrHookNotFound = errors.New("hook not found")
	// ErrServer means that the API failed: it answered 500 or above.
	ErrServer = errors.New("server error")
	// ErrAnswer means that an answer does not have the form of GitHub's API.
	ErrAnswer = errors.New("unexpected answer")
	// ErrTooLarge means that an answer exceeds MaxAnswer.
	ErrTooLarge = errors.New("answer is too large")
	// ErrRateLimited means that a rate limit allows no request now.
	ErrRateLimited = errors.New("rate limited")

	errCredentials = errors.New("credentials")
)

// A StatusError is an answer that reports a failure. It matches [ErrDenied],
// [ErrHookNotFound] or [ErrServer] with errors.Is, depending on Code.
type StatusError struct {
	Code    int    // the HTTP status
	Message string // GitHub's message, cut to 256 bytes; empty if there is none
}

// Error returns the status and, if there is one, the quoted message.
func (e *StatusError) Error() string { return api.StatusText(e.Code, e.Message) }

// Is reports whether target is the sentinel error for the status.
func (e *StatusError) Is(target error) bool {
	switch {
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden:
		return target == ErrDenied
	case e.Code == http.StatusNotFound, e.Code == http.StatusGone:
		return target == ErrHookNotFound
	case e.Code >= 500:
		return target == ErrServer
	default:
		return false
	}
}

// A RateLimitError is an answer that reports a rate limit, or the refusal of a [Client] to
// make a request before the time that such an answer named. It matches [ErrRateLimited]
// with errors.Is.
type RateLimitError struct {
	Until   time.Time // no request is made before, by this machine's clock
	Message string    // GitHub's message; empty if the Client made no request
}

// Error returns the time and, if there is one, the message.
func (e *RateLimitError) Error() string {
	text := "rate limited until " + e.Until.UTC().Format(time.RFC3339)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Is reports whether target is [ErrRateLimited].
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }
