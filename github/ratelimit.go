package github

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
	"github.com/hookhouse/hookhouse/internal/catchup"
)

const (
	// limitPause is the wait after an answer that reports a rate limit and no time. It
	// doubles with each such answer in a row, up to maxLimitPause.
	limitPause    = time.Minute
	maxLimitPause = time.Hour
	// maxLimitWait bounds the wait that an answer asks for. The primary limit is that of an
	// hour.
	maxLimitWait = 2 * time.Hour
)

// rateLimits are what the API has said of its limits, and the times of the requests. The
// zero value is ready.
type rateLimits struct {
	mu        sync.Mutex
	until     time.Time // no request before
	lastWrite time.Time
	strikes   int // answers in a row that report a limit without a time
}

// mutationPause is the time between two requests that change something (as above,
// "Pause between mutative requests").
const mutationPause = time.Second

// wait returns when a request may be made. If that is the time of a rate limit, it returns
// a [*RateLimitError] at once, since a caller can do something else meanwhile.
func (l *rateLimits) wait(ctx context.Context, method string) error {
	l.mu.Lock()
	until, now := l.until, time.Now()
	pause := time.Duration(0)
	if method != http.MethodGet {
		pause = mutationPause - now.Sub(l.lastWrite)
	}
	l.mu.Unlock()
	if until.After(now) {
		return &RateLimitError{Until: until}
	}
	if err := catchup.Sleep(ctx, pause); err != nil {
		return err
	}
	if method != http.MethodGet {
		l.mu.Lock()
		l.lastWrite = time.Now()
		l.mu.Unlock()
	}
	return nil
}

// check returns the error of an answer, and notes what it says of the rate limits
// (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api):
//
//   - 403, 429 or 503 with Retry-After: no request for that many seconds. Zero is no time.
//   - X-RateLimit-Remaining 0: no request before X-RateLimit-Reset, in seconds since 1970.
//     A 2xx with it is the last that the limit allows.
//   - 429, or 403 whose message speaks of a rate limit, without either: no request for a
//     minute, and longer with each such answer.
func (l *rateLimits) check(method string, got reply, now time.Time) error {
	message := messageOf(got.body)
	limited := got.status == http.StatusTooManyRequests ||
		got.status == http.StatusForbidden && strings.Contains(strings.ToLower(message), "rate limit")
	refused := got.status == http.StatusForbidden || got.status == http.StatusTooManyRequests || got.status == http.StatusServiceUnavailable
	wait, named := time.Duration(0), false
	if refused {
		wait = api.RetryAfter(got.header, now, maxLimitWait)
		named = wait > 0
	}
	exhausted := got.header.Get("X-RateLimit-Remaining") == "0"
	if !named && exhausted {
		wait, named = untilReset(got.header, now)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case named:
		l.strikes = 0
	case limited:
		wait = min(limitPause<<min(l.strikes, 10), maxLimitPause)
		l.strikes++
	case api.IsSuccess(got.status):
		l.strikes = 0
	}
	if wait > 0 {
		l.until = now.Add(min(wait, maxLimitWait))
	}
	switch {
	case api.IsSuccess(got.status), got.status == http.StatusNotModified:
		return nil
	case refused && (limited || named):
		return &RateLimitError{Until: l.until, Message: message}
	default:
		return &StatusError{Code: got.status, Message: message}
	}
}

// untilReset returns the time until the primary limit allows requests again, by the clock
// of the server: this machine's may be hours away from it.
func untilReset(h http.Header, now time.Time) (time.Duration, bool) {
	reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0, false
	}
	wait := min(time.Unix(reset, 0).Sub(api.ServerTime(h, now)), maxLimitWait) // Sub may return the longest Duration
	return max(wait, 0) + time.Second, true
}

// messageOf returns the message of an answer that reports a failure.
func messageOf(body []byte) string {
	var failure struct{ Message string }
	_ = json.Unmarshal(body, &failure) // a proxy's page, and a success, have no message
	return api.Message(failure.Message)
}
