package catchup

import (
	"fmt"
	"time"
)

// MaxAge returns how long ago something may have happened to be looked at. It is set or, if
// that is zero, the smaller one of usual and half of the time for which the inbox remembers
// dedup keys. What the inbox has forgotten is missing and would run again, so it returns an
// error that names both times if set is under zero or not shorter than that time.
//
// The inbox tells that time by a method DedupWindow() time.Duration. One without the method is
// taken to remember them for long enough.
func MaxAge(inbox any, set, usual time.Duration) (time.Duration, error) {
	if set < 0 {
		return 0, fmt.Errorf("field MaxAge is %v, under zero", set)
	}
	in, tells := inbox.(interface{ DedupWindow() time.Duration })
	switch {
	case !tells && set == 0:
		return usual, nil
	case !tells:
		return set, nil
	case set == 0:
		return min(usual, in.DedupWindow()/2), nil
	case set >= in.DedupWindow():
		return 0, fmt.Errorf("field MaxAge is %v, and the inbox remembers dedup keys for %v only", set, in.DedupWindow())
	}
	return set, nil
}
