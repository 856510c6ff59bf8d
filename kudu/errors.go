package kudu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

// The errors of a [Client]. Compare with errors.Is. A canceled context and a
// timeout are context.Canceled and context.DeadlineExceeded.
var (
	// ErrSite means that the site given to [NewClient] is not a valid site URL.
	ErrSite = errors.New("site is not an absolute http or https URL without user information, query and fragment")
	// ErrHookConflict means that the URL already has a hook for another event,
	// for which Kudu answers 409: it allows one event per URL.
	ErrHookConflict = errors.New("hook conflict: the URL has a hook for another event")
	// ErrHookNotFound means that the hook does not exist. Status 404 matches it
	// too. Kudu's hooks API never answers that, so the site is not Kudu; package
	// kuduhooks answers it.
	ErrHookNotFound = errors.New("hook not found")
	// ErrHookInvalid means that a hook's URL is not an absolute http or https
	// URL, or that the name of the event is empty. Nothing was sent.
	ErrHookInvalid = errors.New("invalid hook")
	// ErrDenied means that the site refused the credentials: it answered 401,
	// 403, or a redirect, which leads to a sign-in page.
	ErrDenied = errors.New("access denied")
	// ErrServer means that Kudu failed: it answered 500 or above. Kudu also
	// answers 500 if something else holds the lock on its hooks for 30 s.
	ErrServer = errors.New("server error")
	// ErrAnswer means that an answer does not have the form of Kudu's API.
	ErrAnswer = errors.New("unexpected answer")
	// ErrTooLarge means that an answer exceeds MaxAnswer.
	ErrTooLarge = errors.New("answer is too large")
	// ErrJobNotFound means that the site has no history of a triggered WebJob: there is no
	// such job, or it has not run.
	ErrJobNotFound = errors.New("no history of the WebJob")
	// ErrRateLimited means that the site answered 429.
	ErrRateLimited = errors.New("rate limited")

	errCredentials = errors.New("credentials")
)

// A StatusError is an answer that reports a failure. It matches
// [ErrHookConflict], [ErrHookNotFound], [ErrDenied], [ErrRateLimited] or
// [ErrServer] with errors.Is, depending on Code.
type StatusError struct {
	Code int // the HTTP status
	// Message is the type and text of Kudu's exception, or Kudu's message if
	// the answer has no exception, without URLs and cut to 256 bytes. It is
	// empty if the answer is not Kudu's JSON.
	Message string
	// RetryAfter is how long the site asks to wait, at most a day. Zero means
	// that it does not ask.
	RetryAfter time.Duration
}

// Error returns the status and, if there is one, the quoted message.
func (e *StatusError) Error() string {
	text := api.StatusText(e.Code, e.Message)
	if api.IsRedirect(e.Code) {
		text += ": the site asks to sign in, or has moved"
	}
	return text
}

// Is reports whether target is the sentinel error for the status.
func (e *StatusError) Is(target error) bool {
	switch code := e.Code; {
	case code == http.StatusConflict:
		return target == ErrHookConflict
	case code == http.StatusNotFound:
		return target == ErrHookNotFound
	case code == http.StatusUnauthorized, code == http.StatusForbidden, api.IsRedirect(code):
		return target == ErrDenied
	case code == http.StatusTooManyRequests:
		return target == ErrRateLimited
	case code >= 500:
		return target == ErrServer
	default:
		return false
	}
}

// newStatusError returns the error for an answer. Its message is the one of
// ASP.NET, without the stack trace.
func newStatusError(code int, header http.Header, text []byte) *StatusError {
	var exception struct{ Message, ExceptionMessage, ExceptionType string }
	_ = json.Unmarshal(text, &exception) // a proxy's page has no message
	message := exception.Message
	if exception.ExceptionType != "" || exception.ExceptionMessage != "" {
		message = strings.TrimSuffix(exception.ExceptionType+": "+exception.ExceptionMessage, ": ")
	}
	return &StatusError{Code: code, Message: api.Message(withoutURLs(message)), RetryAfter: api.RetryAfter(header, time.Now(), maxRetryAfter)}
}

// maxRetryAfter bounds the wait that an answer asks for.
const maxRetryAfter = 24 * time.Hour

// anyURL matches a URL together with the text around it that has no space, such
// as quotes.
var anyURL = regexp.MustCompile(`\S*://\S*`)

// withoutURLs replaces the URLs in a message. Kudu's message for a hook that it
// refuses quotes its URL (Kudu: WebHooksManager.cs).
func withoutURLs(message string) string {
	return anyURL.ReplaceAllString(message, "[URL]")
}

// callError adds the operation to err. It returns nil if err is nil.
func callError(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("kudu: %s: %w", operation, err)
}
