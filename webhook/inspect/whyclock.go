package inspect

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// itemOf returns the item of a header that has the time.
func itemOf(text string, items webhook.Items) string {
	for item := range strings.SplitSeq(text, cmp.Or(items.Separator, ",")) {
		if name, value, _ := strings.Cut(strings.TrimSpace(item), "="); name == items.Time {
			return value
		}
	}
	return ""
}

// defaultTolerance is that of the verifiers.
const defaultTolerance = 5 * time.Minute

// clock looks for a timestamp that is not that of the call.
func (x *examination) clock(name, text string, tolerance time.Duration) bool {
	name, tolerance = http.CanonicalHeaderKey(name), cmp.Or(tolerance, defaultTolerance)
	seconds, err := strconv.ParseInt(text, 10, 64)
	now := x.call.at.Unix()
	switch digits := len(strconv.FormatInt(now, 10)); {
	case err != nil || seconds < 0:
		return false
	case len(text) == digits+3:
		x.add(observed, "clock", "The timestamp in %s is in milliseconds, and seconds are wanted.", name)
		return true
	case len(text) != digits:
		return false
	}
	off := time.Duration(seconds-now) * time.Second
	switch {
	case off > tolerance:
		x.add(observed, "clock", "The timestamp in %s is %v ahead of the clock here, and %v are allowed: the clock of the sender is fast, or the one of this machine is slow.", name, off, tolerance)
	case off < -tolerance:
		x.add(observed, "clock", "The timestamp in %s is %v behind the clock here, and %v are allowed: the clock of the sender is slow, the one of this machine is fast, or an old call was sent again.", name, -off, tolerance)
	default:
		return false
	}
	return true
}
