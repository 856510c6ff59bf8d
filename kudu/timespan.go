package kudu

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

var errTimeSpan = errors.New("kudu: duration is not a .NET time span, or exceeds time.Duration")

// parseTimeSpan parses the invariant format of .NET's TimeSpan,
// [-][d.]hh:mm:ss[.fffffff]. Hours, minutes and seconds have two digits, and
// the fraction has up to seven, so that its unit is 100 ns.
func parseTimeSpan(text string) (time.Duration, error) {
	unsigned, negative := strings.CutPrefix(text, "-")
	parts := strings.Split(unsigned, ":")
	if len(parts) != 3 {
		return 0, errTimeSpan
	}
	days, hours, hasDays := strings.Cut(parts[0], ".")
	if !hasDays {
		days, hours = "0", parts[0]
	}
	seconds, fraction, hasFraction := strings.Cut(parts[2], ".")
	if !hasFraction {
		fraction = "0"
	}
	d, dayOK := digits(days, 1, 8, maxDays)
	h, hourOK := digits(hours, 2, 2, 23)
	m, minuteOK := digits(parts[1], 2, 2, 59)
	s, secondOK := digits(seconds, 2, 2, 59)
	ticks, fractionOK := digits(fraction, 1, 7, math.MaxInt64)
	if !dayOK || !hourOK || !minuteOK || !secondOK || !fractionOK {
		return 0, errTimeSpan
	}
	for range 7 - len(fraction) {
		ticks *= 10
	}
	ticks += (((d*24+h)*60+m)*60 + s) * int64(time.Second/tick)
	if ticks > math.MaxInt64/int64(tick) {
		return 0, errTimeSpan
	}
	if negative {
		ticks = -ticks
	}
	return time.Duration(ticks) * tick, nil
}

// tick is the unit of .NET's TimeSpan.
const tick = 100 * time.Nanosecond

// maxDays is the number of whole days that a time.Duration can hold.
const maxDays = int64(math.MaxInt64 / (24 * time.Hour))

// digits parses a decimal number of least to most digits. It fails if the
// number exceeds limit.
func digits(text string, least, most int, limit int64) (n int64, ok bool) {
	if len(text) < least || len(text) > most || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n <= limit
}
