package inspect

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestAChartSpansMostOfTheNewestDeliveries(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	received := func(state webhook.State, attempt int, ages ...time.Duration) (list []webhook.Record) {
		for _, age := range ages {
			list = append(list, webhook.Record{Delivery: &webhook.Delivery{ReceivedAt: now.Add(-age)}, State: state, Attempt: attempt})
		}
		return list
	}
	minute := time.Minute
	for _, tt := range []struct {
		name          string
		list          []webhook.Record
		span          time.Duration
		count, failed int
		bars          []bar
	}{
		{"none", nil, 120 * 24 * time.Hour, 0, 0, nil},
		{"three now, one of them dead", append(received(webhook.Done, 0, 0, 0), received(webhook.Dead, 1, 0)...), 10 * minute, 3, 1, []bar{{470, 0, 48, 32, 16}}},
		{"a retry and an older one", append(received(webhook.Waiting, 2, minute/2), received(webhook.Waiting, 0, 9*minute+59*time.Second)...), 10 * minute, 2, 1, []bar{{0, 0, 48, 48, 0}, {450, 0, 48, 0, 48}}},
		{"one that was replayed after a year", append(received(webhook.Done, 0, make([]time.Duration, 20)...), received(webhook.Done, 0, 9000*time.Hour)...), 10 * minute, 20, 0, []bar{{470, 0, 48, 48, 0}}},
		{"hours", received(webhook.Done, 0, 5*time.Hour, time.Hour, 0), 6 * time.Hour, 3, 0, []bar{{70, 0, 48, 48, 0}, {390, 0, 48, 48, 0}, {470, 0, 48, 48, 0}}},
		{"a clock that is ahead", received(webhook.Done, 0, -time.Hour), 10 * minute, 1, 0, []bar{{470, 0, 48, 48, 0}}},
		{"a year ago", received(webhook.Done, 0, 9000*time.Hour), 120 * 24 * time.Hour, 0, 0, nil},
	} {
		got := chartOf(tt.list, now)
		want := chart{Bars: tt.bars, Count: tt.count, Failed: tt.failed, From: now.Add(-tt.span), To: now, Width: 480, Height: 48, All: true}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, d)
		}
	}
}

func TestASmallBarCanBeSeen(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 2, 500: 24, 1000: 48} {
		if got := height(n, 1000); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
}
