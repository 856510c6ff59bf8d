package webhook

import (
	"log/slog"
	"runtime/debug"
	"time"
)

// An Observer is a set of optional funcs that Receivers, Workers and Spools call when
// something happens, for metrics. They call the funcs in the middle of their work,
// and many at once: a func must return quickly and must not change its arguments.
// They recover its panic and log it with slog.Default.
//
// For each claim a Worker calls Claimed, and later either Settled or Lost, unless
// the process ends.
type Observer struct {
	// Rejected is called when a request is refused before there is a delivery.
	Rejected func(source string, status int, reason error)
	// Received is called when a Receiver's Handler has returned err, which may be
	// [ErrDuplicate]. Took is the time since the head of the request was read.
	Received func(d *Delivery, err error, took time.Duration)
	// Claimed is called when a Worker has claimed a delivery. A [Claim.Suspect] has
	// no body yet, and its attempt begins later.
	Claimed func(c Claim)
	// Settled is called when a claim has ended. o.State is the state that the inbox
	// returned. It differs from what the Worker asked for if a newer delivery of a
	// burst has taken the place of this one, or if the callback has settled the claim
	// in a transaction of its own. Took is the duration of the attempt, zero if none
	// began.
	Settled func(c Claim, o Outcome, took time.Duration)
	// Lost is called when a Worker wants to settle a claim that it no longer holds,
	// or has to end before it knows whether it does.
	Lost func(c Claim)
	// Overdue is called when a callback still runs one Lease after [Worker.Timeout]
	// ended its context, and then every minute until it returns. It occupies its slot
	// for that time. Took is the time since the attempt began.
	Overdue func(c Claim, took time.Duration)
}

// contain recovers the panic of a func of an Observer.
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
