package webhooktest

import (
	"context"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// jobservWaits are the pauses before the second, third and fourth attempt
// (JobServ: notify.py).
var jobservWaits = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second}

// jobservRedirects is how many redirects Python requests follows.
const jobservRedirects = 30

// JobServ sends build notifications as JobServ does (JobServ: notify.py), with
// the habits of its client library, Python requests: four attempts with the
// same bytes and the same signature, then 1, 2 and 4 seconds after the end of
// the one before; a failed connection counts as an attempt. There is no
// time-out: a receiver that hangs holds it until ctx ends.
//
// Every final status below 400 is success. Redirects are followed: after 301,
// 302 and 303 by a GET without body that still carries the signature, so that a
// login page's 200 counts as delivered, and so does a 304. After 307 and 308 the
// body is sent again.
//
// It is safe for concurrent use.
type JobServ struct {
	// Secret signs the body. Without one JobServ sends nothing and tells nobody;
	// here it is ErrNoSecret.
	Secret webhook.Secret
	// Transport makes the calls. Zero means a fresh http.Transport for each
	// delivery.
	Transport http.RoundTripper
}

// Deliver sends body until an attempt succeeds. If ctx ends, Result.Err says so.
func (j *JobServ) Deliver(ctx context.Context, target string, body []byte) Result {
	if j.Secret.IsZero() {
		return Result{Err: ErrNoSecret}
	}
	header := http.Header{
		"User-Agent":      {"python-requests/2.32.5"},
		"Accept":          {"*/*"},
		"Accept-Encoding": {"gzip, deflate"},
		"Connection":      {"keep-alive"},
		"Content-Type":    {"application/json"},
	}
	sign(header, body, &webhook.HMAC{Header: "X-JobServ-Sig", Prefix: "sha256:", Keys: webhook.Keys(j.Secret)})
	c, err := newCall(target, header, body)
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

// pause waits for d, or until ctx ends, which it returns the cause of.
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
