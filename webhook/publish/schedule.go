package publish

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// longestWait bounds the wait before a retry, whatever the endpoint asks for.
	longestWait = 24 * time.Hour
	// jitter is the part of a wait that is added to it at random, at most.
	jitter = 0.2
)

// standardSchedule has the waits of the example of Standard Webhooks: with the first
// attempt at once, ten attempts in 75.6 hours
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
var standardSchedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// A schedule has the wait after each failed attempt but the last.
type schedule []time.Duration

// validate refuses waits that a Worker cannot keep.
func (s schedule) validate() error {
	if len(s) >= maxTries {
		return fmt.Errorf("publish: Schedule has %d waits, at most %d are allowed", len(s), maxTries-1)
	}
	for i, wait := range s {
		if wait <= 0 || wait > longestWait {
			return fmt.Errorf("publish: Schedule[%d] is %v, which must be more than 0 and at most %v", i, wait, longestWait)
		}
	}
	return nil
}

// longest returns how long the attempts of an event can take, if no endpoint asks for longer
// waits.
func (s schedule) longest() (sum time.Duration) {
	for _, wait := range s {
		sum += wait + time.Duration(jitter*float64(wait))
	}
	return sum
}

// attempts returns how often an event is tried. An endpoint may have a number of its own;
// zero means that it has none.
func (s schedule) attempts(own int) int {
	if own > 0 {
		return own
	}
	return len(s) + 1
}

// wait returns the wait after the given failed attempt, the first of which is 1: that of
// the schedule and up to a fifth more, so that deliveries which failed together are not
// tried together. After the end of the schedule the last wait repeats. The endpoint may
// have asked for a longer one.
func (s schedule) wait(attempt int, asked time.Duration) time.Duration {
	wait := longestWait
	if len(s) > 0 {
		wait = s[min(max(attempt, 1), len(s))-1]
	}
	wait += time.Duration(jitter * rand.Float64() * float64(wait))
	return max(wait, min(asked, longestWait))
}

// retryAfter returns the wait that an answer asks for, at most longestWait: a number of
// seconds, or a time (RFC 9110, section 10.2.3). It is zero if the answer asks for none, for
// one in the past, or for something that is neither.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	seconds, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil:
		return time.Duration(min(max(seconds, 0), int64(longestWait/time.Second))) * time.Second
	case errors.Is(err, strconv.ErrRange) && !strings.HasPrefix(text, "-"):
		return longestWait
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}
