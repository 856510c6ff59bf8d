package publish

import (
	"net/http"
	"testing"
	"time"
)

func TestWaitsHaveJitter(t *testing.T) {
	s := schedule{time.Minute, time.Hour}
	seen := make(map[time.Duration]bool)
	for range 1000 {
		for attempt, want := range map[int]time.Duration{0: time.Minute, 1: time.Minute, 2: time.Hour, 3: time.Hour, 40: time.Hour} {
			got := s.wait(attempt, 0)
			if got < want || got > want+want/5 {
				t.Fatalf("wait(%d) = %v, want %v to a fifth more", attempt, got, want)
			}
			seen[got] = true
		}
	}
	if len(seen) < 1000 {
		t.Errorf("%d different waits of 5000: deliveries that fail together would be tried together", len(seen))
	}
	if got := s.wait(1, 2*time.Hour); got != 2*time.Hour {
		t.Errorf("wait that is asked for = %v, want 2h", got)
	}
	if got := s.wait(1, 1000*time.Hour); got != 24*time.Hour {
		t.Errorf("wait of 1000h that is asked for = %v, want 24h", got)
	}
}

func TestScheduleIsValidated(t *testing.T) {
	for _, s := range []schedule{{0}, {-1}, {25 * time.Hour}, make(schedule, 50)} {
		if err := s.validate(); err == nil {
			t.Errorf("a schedule of %d waits that begins with %v is valid", len(s), s[0])
		}
	}
	for _, s := range []schedule{nil, standardSchedule, {time.Second}} {
		if err := s.validate(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	if n := schedule(standardSchedule).attempts(0); n != 10 {
		t.Errorf("%d attempts, want the 10 of Standard Webhooks", n)
	}
	if n := (schedule{}).attempts(3); n != 3 {
		t.Errorf("%d attempts of an endpoint with 3", n)
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "5": 5 * time.Second, " 5 ": 5 * time.Second, "-5": 0, "1.5": 0, "soon": 0,
		"86400": 24 * time.Hour, "86401": 24 * time.Hour, "9223372036854775807": 24 * time.Hour,
		"99999999999999999999": 24 * time.Hour, "-99999999999999999999": 0,
		"Sat, 28 Nov 2026 12:00:30 GMT": 30 * time.Second, "Sat, 28 Nov 2026 11:00:00 GMT": 0,
		"Sun, 28 Nov 2027 12:00:00 GMT": 24 * time.Hour, "Saturday, 28-Nov-26 12:01:00 GMT": time.Minute,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("Retry-After %q is %v, want %v", text, got, want)
		}
	}
}
