package dockerhub

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// The errors of a [Client] and a [CatchUp]. Compare with errors.Is. A canceled context and
// a timeout are context.Canceled and context.DeadlineExceeded.
var (
	// ErrDenied means that the registry refused the credentials, or none (401, 403). Docker
	// Hub refuses a repository that does not exist in the same way.
	ErrDenied = errors.New("access denied")
	// ErrTagNotFound means that the registry has no such tag (404).
	ErrTagNotFound = errors.New("tag not found")
	// ErrRateLimited means that the registry answered 429.
	ErrRateLimited = errors.New("rate limited")
	// ErrServer means that the registry failed: it answered 500 or above.
	ErrServer = errors.New("server error")
	// ErrAnswer means that an answer does not have the form of a registry's.
	ErrAnswer = errors.New("unexpected answer")
	// ErrImage means that the name of a repository or a tag is one that a registry cannot
	// have, or that [Client.Registry] or [Client.Hub] is no URL of a server. Nothing was sent.
	ErrImage = errors.New("invalid name of an image, or invalid URL")
)

// A StatusError is an answer that reports a failure. It matches [ErrDenied],
// [ErrTagNotFound], [ErrRateLimited] or [ErrServer] with errors.Is, depending on Code.
type StatusError struct {
	Code       int           // the HTTP status
	RetryAfter time.Duration // how long the server asks to wait, at most six hours; zero: it does not ask
}

// Error returns the status.
func (e *StatusError) Error() string { return api.StatusText(e.Code, "") }

// Is reports whether target is the sentinel error for the status.
func (e *StatusError) Is(target error) bool {
	switch {
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden:
		return target == ErrDenied
	case e.Code == http.StatusNotFound:
		return target == ErrTagNotFound
	case e.Code == http.StatusTooManyRequests:
		return target == ErrRateLimited
	case e.Code >= 500:
		return target == ErrServer
	default:
		return false
	}
}

// maxRetryAfter bounds the wait that a server asks for. The limit of Docker Hub counts six
// hours (https://docs.docker.com/docker-hub/usage/pulls/).
const maxRetryAfter = 6 * time.Hour

// newStatusError returns the error of an answer. Docker Hub's API answers 429 with X-Retry-After,
// a Unix time (https://docs.docker.com/reference/api/hub/latest/).
func newStatusError(code int, h http.Header) *StatusError {
	now := time.Now()
	wait := api.RetryAfter(h, now, maxRetryAfter)
	if at, err := strconv.ParseInt(h.Get("X-Retry-After"), 10, 64); wait == 0 && err == nil {
		wait = min(max(time.Unix(at, 0).Sub(api.ServerTime(h, now)), 0), maxRetryAfter)
	}
	return &StatusError{Code: code, RetryAfter: wait}
}
