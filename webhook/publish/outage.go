package publish

import "time"

// An outage notices that many endpoints hang at once, which were proven a moment ago and so
// may hold all slots. From then on, an endpoint that has not answered since has one request
// at a time: so those that do answer wait for one timeout, and not for one in each lane of
// the others.
type outage struct {
	timeout time.Duration
	enough  int // requests that fail slowly, within a timeout

	since, till time.Time // the outage; zero before the first
	first       time.Time // of those that are counted
	count       int
}

// note counts a request that has failed slowly.
func (o *outage) note(now time.Time) {
	if now.Before(o.till) {
		o.till = now.Add(o.timeout)
		return
	}
	if now.Sub(o.first) > o.timeout {
		o.first, o.count = now, 0
	}
	if o.count++; o.count >= o.enough {
		o.since, o.till = o.first.Add(-o.timeout), now.Add(o.timeout)
	}
}

// suspects reports whether the endpoint may be one of those that hang.
func (o *outage) suspects(h *health, now time.Time) bool {
	return now.Before(o.till) && h.answered.Before(o.since)
}
