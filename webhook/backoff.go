package webhook

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait after a failed attempt: First, then doubled
// with each attempt up to Max, less a random part of up to one half, so that
// what failed together does not come back together.
type Backoff struct {
	First time.Duration // Zero means 1 s.
	Max   time.Duration // Zero means 1 h.
}

// Delay returns the wait after the given attempt, of which the first is 1.
func (b Backoff) Delay(attempt int) time.Duration {
	first, most := b.First, b.Max
	if first <= 0 {
		first = time.Second
	}
	if most <= 0 {
		most = time.Hour
	}
	d := first
	for range attempt - 1 {
		if d >= most/2 {
			d = most
			break
		}
		d *= 2
	}
	d = min(d, most)
	return d - time.Duration(rand.Int64N(int64(d/2)+1))
}
