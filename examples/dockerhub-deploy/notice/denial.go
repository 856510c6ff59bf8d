package notice

import "time"

// remindAfter is how long nobody is notified again that the registry denies an image. An
// order waits no longer.
const remindAfter = 7 * 24 * time.Hour

// A Denial is that the registry denies what a target waits for. It is stored as JSON with
// these names. The zero value is none.
type Denial struct {
	By    string // what it was denied to: the UID of a delivery, or Lookup
	Since time.Time
}

// Lookup is the By of a Denial that no delivery waits for.
const Lookup = "lookup"

// Begin records a denial and reports whether people are to be notified: when it begins, and
// not again for a week while it lasts, also for another delivery.
func (d *Denial) Begin(by string, now time.Time) bool {
	begins := d.By == "" || now.Sub(d.Since) > remindAfter
	if begins {
		d.Since = now
	}
	d.By = by
	return begins
}

// End ends a denial by a result, and returns what people are to be notified of: that result
// with the time since when the image was denied, or that it is not denied any more if the
// result is that nothing has changed. Without a denial it returns r.
func (d *Denial) End(r Result) Result {
	if d.By == "" {
		return r
	}
	if r.Outcome == Unchanged {
		r.Outcome = Allowed
	}
	since := "the registry has denied it since " + d.Since.UTC().Format(time.RFC3339)
	if r.Reason != "" {
		since = "; " + since
	}
	r.Reason += since
	*d = Denial{}
	return r
}
