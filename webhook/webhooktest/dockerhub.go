package webhooktest

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// DockerHub calls a URL as Docker Hub does. A push of several architectures causes
// several calls with the same body. They have no id and no signature, so that a
// receiver cannot distinguish them (docker/hub-feedback 2148). A call that failed is
// not repeated.
//
// Docker documents no headers, no timeout and no retries. Here a call has only the
// header Content-Type, as samples show, follows no redirects, and ends when it is
// answered or ctx is done.
//
// The zero value makes one call. DockerHub is safe for concurrent use.
type DockerHub struct {
	// Calls is the number of calls of one push. Zero means 1.
	Calls int
	// Gap is the time between the starts of two calls. Zero means that all calls
	// start at once.
	Gap time.Duration
	// Transport makes the calls. If nil, each Deliver uses a new http.Transport.
	Transport http.RoundTripper
}

// Deliver makes the calls of one push and returns when all of them have ended. Each
// call is an Attempt. Delivered is true if every call was answered with 2xx. If ctx
// ends before the last call, Result.Err is its cause.
func (h *DockerHub) Deliver(ctx context.Context, target string, body []byte) Result {
	c, err := dockerHubCall(target, body)
	if err != nil {
		return Result{Err: err}
	}
	rt, closeIdle := transportOf(h.Transport)
	defer closeIdle()
	attempts := make([]Attempt, max(h.Calls, 1))
	var result Result
	var calls sync.WaitGroup
	for i := range attempts {
		if i > 0 && h.Gap > 0 {
			if result.Err = pause(ctx, h.Gap); result.Err != nil {
				attempts = attempts[:i]
				break
			}
		}
		a := &attempts[i]
		calls.Go(func() { *a = attempt(ctx, c, 0, once(rt)) })
	}
	calls.Wait()
	result.Attempts = attempts
	result.Delivered = result.Err == nil
	for _, a := range attempts {
		result.Delivered = result.Delivered && a.ok()
		result.Gone = result.Gone || a.Status == http.StatusGone
	}
	return result
}

// Request returns the request of one call, for an http.Client of the caller's. The error
// wraps ErrTarget.
func (h *DockerHub) Request(ctx context.Context, target string, body []byte) (*http.Request, error) {
	c, err := dockerHubCall(target, body)
	if err != nil {
		return nil, err
	}
	return c.request(ctx)
}

func dockerHubCall(target string, body []byte) (call, error) {
	return newCall(target, http.Header{"Content-Type": {"application/json"}}, body)
}
