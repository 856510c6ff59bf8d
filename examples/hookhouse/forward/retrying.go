package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
)

const (
	// maxTries is how often a delivery is sent to a target that takes the connection and ends it
	// without an answer: it may be starting, or this delivery may crash it. One that does not
	// answer in time costs slowTries of these. A target that is away is waited for.
	maxTries  = 8
	slowTries = 2
	// maxRetryAfter is the longest wait that a target can ask for.
	maxRetryAfter = time.Minute
)

// errSlow means that a target took the call and did not answer in time.
var errSlow = errors.New("no answer in time")

// isDown reports whether nobody listens at the target.
func isDown(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// isBusy reports whether a status means that the target may take the delivery later.
func isBusy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusBadGateway || status == http.StatusServiceUnavailable ||
		status == http.StatusGatewayTimeout
}

// retryAfter returns how long a target asks to wait in Retry-After, in seconds or until a time.
// See https://www.rfc-editor.org/rfc/rfc9110#field.retry-after.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}

// send makes a call until it is answered. It waits for as long as ctx lasts for a target that is
// down or says that it is busy, and not longer than that one asks for if it does.
func (f *Forwarder) send(ctx context.Context, c call) (a answer, took time.Duration, err error) {
	var again service.Backoff
	noted := make(map[string]bool)
	for tries := 0; ; {
		if err := again.Wait(ctx); err != nil {
			return a, took, err
		}
		began := time.Now()
		a, err = f.post(ctx, c)
		took = time.Since(began)
		problem := fmt.Sprint(a.status, " ", http.StatusText(a.status))
		switch {
		case ctx.Err() != nil:
			return a, took, ctx.Err()
		case errors.Is(err, ErrRemote), errors.Is(err, ErrTarget), err == nil && !isBusy(a.status):
			return a, took, err
		case err != nil:
			problem = err.Error()
		}
		switch {
		case errors.Is(err, errSlow):
			tries += slowTries
		case err != nil && !isDown(err):
			tries++
		}
		if tries >= maxTries {
			return a, took, err
		}
		if !noted[problem] {
			noted[problem] = true
			f.Note(fmt.Sprintf("%s: %s; trying again, and what follows waits", c.target, problem))
		}
		if a.after > 0 {
			if err := service.Pause(ctx, a.after); err != nil {
				return a, took, err
			}
			again.Reset()
		}
	}
}
