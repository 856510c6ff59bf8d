package github

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestRateLimitsThatAnswersReport(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		want   time.Duration // without requests; zero: it is no rate limit
	}{
		{"a time", 429, http.Header{"Retry-After": {"90"}}, 90 * time.Second},
		{"a year", 403, http.Header{"Retry-After": {"31536000"}}, maxLimitWait},
		{"more than an int32", 403, http.Header{"Retry-After": {"9999999999"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"9999999999"}}, maxLimitWait},
		{"no time at all", 429, http.Header{"Retry-After": {"0"}}, limitPause},
		{"a date", 429, http.Header{"Retry-After": {"Mon, 12 Jan 1970 13:50:00 GMT"}}, 200 * time.Second},
		{"a reset that is over", 429, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1"}}, time.Second},
		{"a server in maintenance", 503, http.Header{"Retry-After": {"600"}}, 10 * time.Minute},
		{"a server that fails", 503, nil, 0},
		{"a lacking right", 403, http.Header{"X-Ratelimit-Remaining": {"10"}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := tt.header.Clone()
			if header == nil {
				header = make(http.Header)
			}
			header.Set("Date", now.UTC().Format(http.TimeFormat))
			var l rateLimits
			err := l.check(http.MethodGet, reply{status: tt.status, header: header, body: []byte(`{"message":"no"}`)}, now)
			limited, ok := errors.AsType[*RateLimitError](err)
			if ok != (tt.want > 0) || ok && !limited.Until.Equal(now.Add(tt.want)) || !l.until.Equal(now.Add(tt.want)) && ok {
				t.Errorf("%v, no request until %v, want %v", err, l.until.UTC(), now.Add(tt.want).UTC())
			}
		})
	}
}
