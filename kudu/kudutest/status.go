package kudutest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

var errLocked = errors.New("kudutest: hooks are locked")

// told returns what a hook shows of a call: the status as .NET names it, and the
// reason phrase; or Failure, and why.
func told(r webhooktest.Result) (status, reason *string) {
	err := r.Err
	if len(r.Attempts) > 0 {
		if last := r.Attempts[len(r.Attempts)-1]; last.Err == nil {
			return new(statusName(last.Status)), new(http.StatusText(last.Status))
		} else {
			err = last.Err
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return new("Failure"), new("A task was canceled.")
	default:
		return new("Failure"), new("An error occurred while sending the request.")
	}
}

// statusName returns the name of a code in .NET's HttpStatusCode, and its digits
// where .NET Framework has none.
func statusName(code int) string {
	switch {
	case code == http.StatusRequestURITooLong:
		return "RequestUriTooLong"
	case code == http.StatusHTTPVersionNotSupported:
		return "HttpVersionNotSupported"
	case code <= 101, 200 <= code && code <= 206, 300 <= code && code <= 305, code == 307,
		400 <= code && code <= 417, code == 426, 500 <= code && code <= 505:
		return strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(code))
	default:
		return strconv.Itoa(code)
	}
}
