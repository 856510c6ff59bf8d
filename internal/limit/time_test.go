package limit_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

func TestNotBeforeIsRoundedUpToMicroseconds(t *testing.T) {
	for _, test := range []struct {
		at   time.Time
		want int64
	}{
		{time.Time{}, 0},
		{time.Unix(0, 0), 0},
		{time.Unix(0, 1), 1},
		{time.Unix(7, 1000), 7_000_001},
		{time.Unix(7, 1001), 7_000_002},
		{time.UnixMicro(math.MaxInt64), math.MaxInt64},
	} {
		if got, err := limit.NotBefore(test.at); got != test.want || err != nil {
			t.Errorf("%v: got %d, %v, want %d", test.at, got, err, test.want)
		}
	}
}

func TestNotBeforeRefusesWhatAnInt64DoesNotHold(t *testing.T) {
	for _, test := range []struct {
		at   time.Time
		says string
	}{
		{time.Unix(-1, 0).UTC(), "NotBefore 1969-12-31T23:59:59Z is before 1970"},
		{time.Unix(0, -1), "before 1970"},
		{time.UnixMicro(math.MaxInt64).Add(1), "the year 294246 is the last"},
		{time.Unix(1<<60, 0), "the year 294246 is the last"},
	} {
		if got, err := limit.NotBefore(test.at); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: got %d, %v, want an error that says %q", test.at, got, err, test.says)
		}
	}
}
