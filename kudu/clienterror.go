package kudu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// The failures of a [Client]. Test with errors.Is. A time-out is
// context.DeadlineExceeded, the end of a context what context.Cause says of it.
var (
	// ErrSite: [NewClient] was given what cannot be the URL of a site.
	ErrSite = errors.New("site is not an absolute http or https URL without user information, query and fragment")
	// ErrHookConflict: the URL has a hook for another event already, and Kudu
	// allows one event a URL. Status 409.
	ErrHookConflict = errors.New("hook conflicts: its URL has a hook for another event")
	// ErrHookNotFound: there is no such hook. Also status 404, which Kudu's hooks
	// API never answers: the site is then no Kudu.
	ErrHookNotFound = errors.New("no such hook")
	// ErrHookInvalid: a hook has no absolute http or https URL, or there is no
	// name of an event. Nothing was sent.
	ErrHookInvalid = errors.New("hook is invalid")
	// ErrDenied: the site did not take the credentials. Status 401, 403, or a
	// redirect, which leads to a page to sign in.
	ErrDenied = errors.New("access denied")
	// ErrServer: Kudu failed. Status 500 and above. That is also what Kudu
	// answers while something else holds the lock on its hooks for 30 s.
	ErrServer = errors.New("server error")
	// ErrAnswer: the answer is not what Kudu's API promises.
	ErrAnswer = errors.New("unexpected answer")
	// ErrTooLarge: the answer is over MaxAnswer.
	ErrTooLarge = errors.New("answer is too large")
)

// A StatusError is an answer that is no success. errors.Is finds
// [ErrHookConflict], [ErrHookNotFound], [ErrDenied] and [ErrServer] in it.
type StatusError struct {
	Code int // the HTTP status
	// Message is what Kudu says, without URLs and cut to 256 bytes: the type of
	// the exception and its text. Empty where the answer is not JSON of Kudu.
	Message string
}

// Error returns the status and the message, quoted.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("status %d", e.Code)
	if e.Message != "" {
		text += fmt.Sprintf(": %q", e.Message)
	}
	if e.Code >= 300 && e.Code <= 399 {
		text += ": the site asks to sign in, or is elsewhere"
	}
	return text
}

// Is reports whether target is the sentinel of the status.
func (e *StatusError) Is(target error) bool {
	switch code := e.Code; {
	case code == http.StatusConflict:
		return target == ErrHookConflict
	case code == http.StatusNotFound:
		return target == ErrHookNotFound
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code >= 300 && code <= 399:
		return target == ErrDenied
	case code >= 500:
		return target == ErrServer
	default:
		return false
	}
}

// newStatusError takes from an answer what ASP.NET says, and never the stack
// trace that comes with it.
func newStatusError(code int, text []byte) *StatusError {
	var said struct{ Message, ExceptionMessage, ExceptionType string }
	_ = json.Unmarshal(text, &said) // a proxy's page says nothing
	message := said.Message
	if said.ExceptionType != "" || said.ExceptionMessage != "" {
		message = strings.TrimSuffix(said.ExceptionType+": "+said.ExceptionMessage, ": ")
	}
	return &StatusError{Code: code, Message: withoutURLs(message)}
}

// maxMessage is how much of Kudu's words an error repeats, in bytes.
const maxMessage = 256

// anyURL takes with it what stands before it without a space: quotes, at worst
// too much.
var anyURL = regexp.MustCompile(`\S*://\S*`)

// withoutURLs makes a message fit for a log: Kudu's words on a hook that it
// refuses quote its URL (Kudu: WebHooksManager.cs).
func withoutURLs(message string) string {
	message = anyURL.ReplaceAllString(message, "[URL]")
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	return strings.ToValidUTF8(message, "")
}

// callError says what was being done; nil stays nil.
func callError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("kudu: %s: %w", doing, err)
}
