package webhooktest

import (
	"errors"
	"time"
)

var (
	// ErrTooLarge: the event is over the sender's limit, so that it is not sent
	// at all.
	ErrTooLarge = errors.New("webhooktest: event too large")
	// ErrNoSecret: the sender has no secret and therefore sends nothing.
	ErrNoSecret = errors.New("webhooktest: no secret")
	// ErrTarget: the URL is not an absolute http or https one.
	ErrTarget = errors.New("webhooktest: bad target")
	// ErrRedirects: redirects led on for longer than the sender follows.
	ErrRedirects = errors.New("webhooktest: too many redirects")
)

// A Result is what one event came to, as its sender sees it.
type Result struct {
	// Attempts are the tries in order of their beginning.
	Attempts []Attempt
	// Delivered says whether the sender is content. What that takes differs:
	// 2xx for GitHub, anything below 400 for JobServ, any answer at all for Kudu.
	Delivered bool
	// Gone says that the answer was 410. It matters to Kudu alone.
	Gone bool
	// GUID is GitHub's id of the delivery, to be used with Redeliver; empty for
	// the others.
	GUID string
	// Err says why the sender did not try, or did not try again: ErrTooLarge,
	// ErrNoSecret, ErrTarget, or the end of the context. Failed tries leave it nil
	// and tell of themselves in Attempts.
	Err error
}

// An Attempt is one try: a request, and those that its answer led to.
type Attempt struct {
	// At is when it began.
	At time.Time
	// Status is that of the final answer; zero if there was none.
	Status int
	// Statuses are those of all answers in order, redirects and challenges
	// included. The last one is Status.
	Statuses []int
	// Err says why there was no final answer. A time-out is
	// context.DeadlineExceeded. It may name the host, but neither path nor query.
	Err error
}

// ok reports whether the final answer is 2xx.
func (a Attempt) ok() bool { return a.Status >= 200 && a.Status <= 299 }
