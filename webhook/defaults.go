package webhook

import "time"

// The defaults that the documentation of several types repeats.
const (
	defaultBackoffFirst = time.Second
	defaultBackoffMax   = time.Hour

	defaultMaxBody = 1 << 20 // Source.MaxBody
	// defaultReadTimeout is how long a body may take. GitHub and Kudu give up
	// after 10 seconds themselves.
	defaultReadTimeout = 10 * time.Second
	defaultTolerance   = 5 * time.Minute // HMAC.Tolerance and others
)

// positive returns v, or the default if v is zero or negative.
func positive[T int | int64 | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
