package catchup

import (
	"fmt"
	"time"
)

// MaxAge returns how long ago something may have happened to be looked at. It is set or, if
// that is zero, the smaller one of usual and half of the time for which the inbox remembers
// dedup keys. What the inbox has forgotten is missing and would run again, so it returns an
// error that names both times if set is under zero or not shorter than that time.
// An inbox that does not say is believed.
func MaxAge(inbox any, set, usual time.Duration) (time.Duration, error) {
	switch window := Window(inbox); {
	case set < 0:
		return 0, fmt.Errorf("MaxAge is %v, under zero", set)
	case set == 0 && window > 0:
		return min(usual, window/2), nil
	case set == 0:
		return usual, nil
	}
	if err := CheckWindow(inbox, set); err != nil {
		return 0, fmt.Errorf("MaxAge: %w", err)
	}
	return set, nil
}
