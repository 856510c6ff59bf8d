package limit

import (
	"fmt"
	"math"
	"time"
)

// NotBefore returns a delivery's NotBefore in microseconds since 1970, rounded up, so
// that the delivery is not due a moment too early. The zero time is 0. The error says
// why an inbox refuses t: it is before 1970, or an int64 does not hold it.
func NotBefore(t time.Time) (micros int64, err error) {
	switch {
	case t.IsZero():
		return 0, nil
	case t.Before(time.Unix(0, 0)):
		return 0, fmt.Errorf("NotBefore %s is before 1970", t.Format(time.RFC3339Nano))
	case t.After(time.UnixMicro(math.MaxInt64)):
		return 0, fmt.Errorf("NotBefore %s is too far ahead: the year 294246 is the last", t.Format(time.RFC3339Nano))
	}
	if micros = t.UnixMicro(); t.After(time.UnixMicro(micros)) {
		micros++
	}
	return micros, nil
}
