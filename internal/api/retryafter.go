package api

import (
	"net/http"
	"strconv"
	"time"
)

// RetryAfter returns how long the header of an answer asks to wait in Retry-After, in seconds
// or until a time, which is one of the server's clock. The result is at most the given time.
// Zero means that the header does not ask, or names a time that has passed. See [ServerTime]
// for now.
func RetryAfter(h http.Header, now time.Time, most time.Duration) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(most/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(until.Sub(ServerTime(h, now)), 0), most)
}

// ServerTime returns the time of an answer by the clock of its server, which may be hours
// away from this machine's, or now if the header does not have it.
func ServerTime(h http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return now
}
