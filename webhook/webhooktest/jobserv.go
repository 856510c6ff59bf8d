package webhooktest

import (
	"context"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// jobservWaits are the times before the second, third and fourth attempt (JobServ:
// notify.py).
var jobservWaits = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second}

// jobservRedirects is the number of redirects that Python requests follows.
const jobservRedirects = 30

// JobServ sends build notifications as JobServ does (JobServ: notify.py), including
// the behavior of its client library, Python requests:
//
//   - It makes up to four attempts, with the same body and signature. The second,
//     third and fourth begin 1, 2 and 4 seconds after the end of the one before. A
//     failed connection counts as an attempt.
//   - It has no timeout: if the receiver does not answer, it waits until ctx is done.
//   - Every final status below 400 is success, for example 304.
//   - It follows 30 redirects. After 301, 302 and 303 it sends a GET without body, but
//     with the signature, so that the 200 of a login page is success. After 307 and
//     308 it sends the body again.
//
// JobServ is safe for concurrent use.
type JobServ struct {
	// Secret signs the body. Without a secret the real JobServ sends nothing and
	// reports nothing; here Result.Err is ErrNoSecret.
	Secret webhook.Secret
	// Transport makes the calls. If nil, each delivery uses a new http.Transport.
	Transport http.RoundTripper
}

// Deliver sends body until an attempt succeeds or the fourth has failed. If ctx is
// done while it waits for the next attempt, Result.Err is the cause.
func (j *JobServ) Deliver(ctx context.Context, target string, body []byte) Result {
	c, err := j.call(target, body)
	if err != nil {
		return Result{Err: err}
	}
	rt, closeIdle := transportOf(j.Transport)
	defer closeIdle()
	var result Result
	for i := 0; ; i++ {
		a := attempt(ctx, c, jobservRedirects, once(rt))
		result.Attempts = append(result.Attempts, a)
		result.Gone = a.Status == http.StatusGone
		if a.Err == nil && a.Status < 400 {
			result.Delivered = true
			return result
		}
		if i == len(jobservWaits) {
			return result
		}
		if result.Err = pause(ctx, jobservWaits[i]); result.Err != nil {
			return result
		}
	}
}

// Request returns the first request of Deliver, for an http.Client of the caller's. The
// error wraps ErrNoSecret or ErrTarget.
func (j *JobServ) Request(ctx context.Context, target string, body []byte) (*http.Request, error) {
	c, err := j.call(target, body)
	if err != nil {
		return nil, err
	}
	return c.request(ctx)
}

// call returns the signed call of a build.
func (j *JobServ) call(target string, body []byte) (call, error) {
	if j.Secret.IsZero() {
		return call{}, ErrNoSecret
	}
	header := http.Header{
		"User-Agent":      {"python-requests/2.32.5"},
		"Accept":          {"*/*"},
		"Accept-Encoding": {"gzip, deflate"},
		"Connection":      {"keep-alive"},
		"Content-Type":    {"application/json"},
	}
	sign(header, body, &webhook.HMAC{Header: "X-JobServ-Sig", Prefix: "sha256:", Keys: webhook.Keys(j.Secret)})
	return newCall(target, header, body)
}

// pause waits for d. If ctx is done first, it returns the cause.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
