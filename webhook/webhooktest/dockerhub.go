package webhooktest

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// DockerHub calls as Docker Hub does: a push of several architectures is a
// burst of calls with the same body, and nothing in them, neither id nor
// signature, tells one from the next (docker/hub-feedback 2148). A failed call
// is not made again.
//
// Docker documents no headers, no time-out and no retries. So only Content-Type
// is sent, as seen in samples, redirects are not followed, and a call lasts
// until it is answered or ctx ends.
//
// The zero value makes one call. It is safe for concurrent use.
type DockerHub struct {
	// Calls is how many calls one push makes. Zero means 1.
	Calls int
	// Gap is the time from one call to the next. Zero means all at once.
	Gap time.Duration
	// Transport makes the calls. Zero means a fresh http.Transport for each burst.
	Transport http.RoundTripper
}

// Deliver makes the burst and returns when all calls have ended. Each is one
// Attempt, and Delivered says that every one was answered 2xx.
func (h *DockerHub) Deliver(ctx context.Context, target string, body []byte) Result {
	c, err := newCall(target, http.Header{"Content-Type": {"application/json"}}, body)
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
