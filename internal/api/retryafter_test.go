package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
)

func TestRetryAfterIsBounded(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, header, date string
		want               time.Duration
	}{
		{"nothing", "", "", 0},
		{"seconds", "90", "", 90 * time.Second},
		{"zero", "0", "", 0},
		{"a negative number", "-5", "", 0},
		{"too long", "99999", "", time.Hour},
		{"the largest number", "9223372036854775807", "", time.Hour},
		{"a larger number", "9223372036854775808", "", 0},
		{"a fraction", "1.5", "", 0},
		{"a time by this clock", "Sat, 01 Jan 2000 00:10:00 GMT", "", 10 * time.Minute},
		{"a time by the server's clock", "Sat, 01 Jan 2000 05:10:00 GMT", "Sat, 01 Jan 2000 05:00:00 GMT", 10 * time.Minute},
		{"a time that has passed", "Sat, 01 Jan 2000 04:10:00 GMT", "Sat, 01 Jan 2000 05:00:00 GMT", 0},
		{"a time in years", "Fri, 01 Jan 9999 00:00:00 GMT", "", time.Hour},
		{"no time", "soon", "", 0},
	} {
		h := http.Header{"Retry-After": {tc.header}, "Date": {tc.date}}
		if got := api.RetryAfter(h, now, time.Hour); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}
