package inspect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/hookhouse/hookhouse/webhook"
)

// A requestError is the fault of a request, with what its sender may read about it.
type requestError struct {
	status int
	text   string
}

func (e requestError) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return requestError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// recoverTo makes a panic of the store an error. In the goroutine of a request package
// http does it; in one of our own it would end the program.
func recoverTo(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("inspect: the store panicked: %v\n%s", p, debug.Stack())
	}
}

// explain returns the status and the text with which a request is answered that has
// failed. What a database says is for the log alone.
func (in *Inspector) explain(r *http.Request, err error) (status int, text string) {
	var fault requestError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &fault):
		return fault.status, fault.text
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("the form is larger than %d bytes", tooLarge.Limit)
	case errors.Is(err, webhook.ErrNotFound):
		return http.StatusNotFound, "there is no such delivery; it may have been deleted since"
	case errors.Is(err, webhook.ErrState):
		return http.StatusConflict, "the state of the delivery, or of the pause, does not allow it; look at it again"
	case r.Context().Err() != nil:
		return http.StatusServiceUnavailable, "the request has ended" // nobody reads it
	}
	in.logger().Error("inspector: the store failed", "page", r.URL.Path, "error", err)
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusGatewayTimeout, "the store did not answer in time; the log has more"
	}
	return http.StatusServiceUnavailable, "the store failed; the log says why"
}
