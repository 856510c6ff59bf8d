package webhook_test

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestBackoffDoublesUpToMaxAndTakesOffAtMostHalf(t *testing.T) {
	for _, test := range []struct {
		name    string
		backoff webhook.Backoff
		attempt int
		most    time.Duration
	}{
		{"the zero value begins with a second", webhook.Backoff{}, 1, time.Second},
		{"the zero value doubles", webhook.Backoff{}, 5, 16 * time.Second},
		{"the zero value stays below an hour", webhook.Backoff{}, 12, 2048 * time.Second},
		{"the zero value stops at an hour", webhook.Backoff{}, 13, time.Hour},
		{"a far attempt does not overflow", webhook.Backoff{}, 1 << 40, time.Hour},
		{"an attempt before the first is the first", webhook.Backoff{}, 0, time.Second},
		{"a Max below First holds", webhook.Backoff{First: time.Minute, Max: time.Second}, 1, time.Second},
		{"a Max between two steps holds", webhook.Backoff{First: 2 * time.Second, Max: 5 * time.Second}, 3, 5 * time.Second},
		{"the longest Max does not overflow", webhook.Backoff{First: 1 << 62, Max: 1<<63 - 1}, 9, 1<<63 - 1},
		{"negative values are like zero", webhook.Backoff{First: -1, Max: -1}, 1, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			least := test.most - test.most/2
			for range 1000 {
				if d := test.backoff.Delay(test.attempt); d < least || d > test.most {
					t.Fatalf("delay %v, want %v to %v", d, least, test.most)
				}
			}
		})
	}
}

func TestBackoffIsNotTheSameTwice(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 100 {
		seen[webhook.Backoff{}.Delay(10)] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different delays of 100: what failed together comes back together", len(seen))
	}
}
