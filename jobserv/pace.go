package jobserv

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

const (
	// limitPause is the wait after a 429 that names no time. It doubles with each such answer
	// in a row, up to maxLimitPause.
	limitPause    = time.Minute
	maxLimitPause = 30 * time.Minute
	// maxLimitWait bounds the wait that an answer asks for.
	maxLimitWait = 2 * time.Hour
)

// A pace lets the catch-ups of a Client make one request at a time, and none before the time
// that an answer named. JobServ itself limits no requests; a proxy before it may, as RFC 9110,
// section 10.2.3, and RFC 6585, section 4, say.
type pace struct {
	turn chan struct{} // has an element while a request is under way

	mu      sync.Mutex
	until   time.Time // no request before
	strikes int       // answers in a row that report a limit without a time
}

func newPace() *pace { return &pace{turn: make(chan struct{}, 1)} }

// begin waits for the turn of a request, which end ends. If no request may be made yet, it
// returns a [*RateLimitError] at once.
func (p *pace) begin(ctx context.Context) (end func(), err error) {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	end = func() { <-p.turn }
	p.mu.Lock()
	until := p.until
	p.mu.Unlock()
	if time.Until(until) > 0 {
		end()
		return nil, &RateLimitError{Until: until}
	}
	return end, nil
}

// check returns err, the error of an answer, or a [*RateLimitError] if the answer asks to
// wait: it is 429, or 503 or 403 with Retry-After.
func (p *pace) check(status int, h http.Header, err error, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := time.Duration(0)
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusForbidden:
		wait = api.RetryAfter(h, now, maxLimitWait)
	}
	switch {
	case wait > 0:
		p.strikes = 0
	case status == http.StatusTooManyRequests:
		wait = min(limitPause<<min(p.strikes, 10), maxLimitPause)
		p.strikes++
	default:
		if err == nil {
			p.strikes = 0
		}
		return err
	}
	p.until = now.Add(wait)
	return &RateLimitError{Until: p.until, Cause: err}
}

// limitedUntil returns the time that an error of a rate limit names.
func limitedUntil(err error) (time.Time, bool) {
	limited, ok := errors.AsType[*RateLimitError](err)
	if !ok {
		return time.Time{}, false
	}
	return limited.Until, true
}
