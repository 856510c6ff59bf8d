package webhooktest

import (
	"errors"
	"time"
)

var (
	// ErrTooLarge means that the event exceeds the sender's limit and was not sent.
	ErrTooLarge = errors.New("webhooktest: event too large")
	// ErrNoSecret means that nothing was sent because the sender has no secret.
	ErrNoSecret = errors.New("webhooktest: no secret")
	// ErrTarget means that the URL is not an absolute http or https URL.
	ErrTarget = errors.New("webhooktest: bad target")
	// ErrRedirects means that there were more redirects than the sender follows.
	ErrRedirects = errors.New("webhooktest: too many redirects")
)

// A Result is the result of sending one event, from the sender's view.
type Result struct {
	// Attempts are the attempts in the order in which they began.
	Attempts []Attempt
	// Delivered is whether the sender counts the event as delivered: after 2xx for
	// GitHub, after 2xx for every call for Docker Hub, after a status below 400 for
	// JobServ, and after any answer for Kudu.
	Delivered bool
	// Gone is whether an answer was 410; for JobServ, whether the last one was. Only
	// Kudu acts on it.
	Gone bool
	// GUID is GitHub's id of the delivery, for Redeliver. It is empty for other
	// senders.
	GUID string
	// Err is why the sender made no attempt or stopped before its last one:
	// ErrTooLarge, ErrNoSecret, ErrTarget, or the cause of the context. It is nil if
	// attempts failed: their errors are in Attempts.
	Err error
}

// An Attempt is a request and those that followed its answer: after a redirect or a
// challenge.
type Attempt struct {
	// At is the time at which the attempt began.
	At time.Time
	// Status is the status of the final answer, or zero if there was none.
	Status int
	// Statuses are the statuses of all answers in order, including redirects and
	// challenges. If Err is nil, the last one is Status.
	Statuses []int
	// Err is why there was no final answer. After a timeout it is
	// context.DeadlineExceeded. It may contain the host, but not the path or query.
	Err error
}

// ok reports whether the final answer is 2xx.
func (a Attempt) ok() bool { return a.Status >= 200 && a.Status <= 299 }
