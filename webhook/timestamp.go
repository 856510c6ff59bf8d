package webhook

import (
	"fmt"
	"strconv"
	"time"
)

// checkTolerance refuses a tolerance that is negative or shorter than a second.
func checkTolerance(d time.Duration) error {
	switch {
	case d < 0:
		return fmt.Errorf("the Tolerance of %v is negative", d)
	case d > 0 && d < time.Second:
		return fmt.Errorf("the Tolerance of %v is shorter than a second, the unit of timestamps: write 300 * time.Second, not 300", d)
	}
	return nil
}

// checkTimestamp refuses what is not the present time in decimal digits, give or take
// the tolerance. It counts whole seconds. Because the text has as many digits as the
// present time, nobody can move a digit between it and what is signed beside it.
func checkTimestamp(name, text string, tolerance time.Duration) error {
	for i := range len(text) {
		if c := text[i]; c < '0' || c > '9' {
			return fmt.Errorf("%w: %s %.32q is not Unix seconds in plain decimal digits", ErrUnverified, name, text)
		}
	}
	now := time.Now().Unix()
	var buf [20]byte
	if want := len(strconv.AppendInt(buf[:0], now, 10)); len(text) != want || text[0] == '0' {
		return fmt.Errorf("%w: %s %.32q is not the present Unix time in seconds, which has %d digits", ErrUnverified, name, text, want)
	}
	sec, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s %.32q is not Unix seconds", ErrUnverified, name, text)
	}
	age, most := now-sec, int64(tolerance/time.Second)
	switch {
	case age > most:
		return fmt.Errorf("%w: %s is %v ago, allowed are %v: an old request, or the clock is ahead", ErrUnverified, name, time.Duration(age)*time.Second, tolerance)
	case age < -most:
		return fmt.Errorf("%w: %s is %v in the future, allowed are %v: is the clock behind?", ErrUnverified, name, time.Duration(-age)*time.Second, tolerance)
	}
	return nil
}
