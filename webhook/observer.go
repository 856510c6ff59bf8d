package webhook

import (
	"log/slog"
	"runtime/debug"
	"time"
)

// An Observer is told what happens, for metrics: a struct of optional funcs,
// like net/http/httptrace.ClientTrace. They run inside the work they tell of,
// many at once: return quickly. A panic of theirs is logged with slog.Default.
// Nothing they are given may be changed. Each claim that a Worker tells of as
// Claimed it tells of once more as Settled or Lost, unless the process ends.
type Observer struct {
	// Rejected: a call was refused before there was a delivery.
	Rejected func(source string, status int, reason error)
	// Received: a Receiver's Handler has returned; err is its outcome, and may be
	// [ErrDuplicate]. Took is the time from the request's head to that moment.
	Received func(d *Delivery, err error, took time.Duration)
	// Claimed: a Worker has claimed a delivery. A [Claim.Suspect] has no body yet,
	// and its attempt begins later.
	Claimed func(c Claim)
	// Settled: a claim has ended. o.State is what the inbox says came of it: not
	// what the Worker asked for where a newer one of a burst took its place, or
	// where the callback had settled it in a transaction of its own. Took is the
	// time of the attempt, zero where none began.
	Settled func(c Claim, o Outcome, took time.Duration)
	// Lost: a Worker no longer held a claim when it wanted to settle it, or did not
	// get to know whether it did before it had to end.
	Lost func(c Claim)
	// Overdue: a callback has not returned, one Lease after [Worker.Timeout] ended
	// its context, and holds its slot. It is told then and every minute until the
	// callback returns. Took is the time since the attempt began.
	Overdue func(c Claim, took time.Duration)
}

// contain keeps a panic of an Observer's func from the work that it tells of.
func contain() {
	if v := recover(); v != nil {
		slog.Error("observer panicked", "reason", v, "stack", string(debug.Stack()))
	}
}

func (o *Observer) rejected(source string, status int, reason error) {
	if o != nil && o.Rejected != nil {
		defer contain()
		o.Rejected(source, status, original(reason))
	}
}

func (o *Observer) received(d *Delivery, err error, took time.Duration) {
	if o != nil && o.Received != nil {
		defer contain()
		o.Received(d, original(err), took)
	}
}

func (o *Observer) claimed(c Claim) {
	if o != nil && o.Claimed != nil {
		defer contain()
		o.Claimed(c)
	}
}

func (o *Observer) settled(c Claim, out Outcome, took time.Duration) {
	if o != nil && o.Settled != nil {
		defer contain()
		o.Settled(c, out, took)
	}
}

func (o *Observer) lost(c Claim) {
	if o != nil && o.Lost != nil {
		defer contain()
		o.Lost(c)
	}
}

func (o *Observer) overdue(c Claim, took time.Duration) {
	if o != nil && o.Overdue != nil {
		defer contain()
		o.Overdue(c, took)
	}
}
