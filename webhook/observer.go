package webhook

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"
)

// An Observer is a set of optional funcs that Receivers, Workers and Spools call when
// something happens, for metrics. They call them in the middle of their work, and
// concurrently: a func must return quickly and must not change its arguments. A panic
// of a func is recovered and logged with slog.Default.
//
// For each claim a Worker calls Claimed, and later either Settled or Lost, unless the
// process ends.
//
// The context of Rejected and Received is that of the request. The context of the
// other funcs has the values of the context that the Handler gets: those of the one
// that Run got, and the claim, which [ClaimFromContext] returns. It is not a child of
// the Handler's context, so it does not have what a wrapper of the Handler has added.
// Either context may have ended: do not use it to wait for something.
type Observer struct {
	// Rejected is called when a request is refused before it becomes a delivery.
	Rejected func(ctx context.Context, source string, status int, reason error)
	// Received is called when a Receiver's Handler has returned err, which may be
	// [ErrDuplicate]. The duration took begins when the request's header has been read.
	Received func(ctx context.Context, d *Delivery, err error, took time.Duration)
	// Claimed is called when a Worker has claimed a delivery. The delivery of a
	// [Claim.Suspect] has no body yet, and its attempt begins later.
	Claimed func(ctx context.Context, c Claim)
	// Settled is called when a claim has ended. o.State is the state that the inbox
	// returned. It differs from the one that the Worker asked for if a newer delivery
	// of a burst has superseded this one, or if the callback has settled the claim in a
	// transaction of its own. The duration took is that of the attempt, zero if none
	// began.
	Settled func(ctx context.Context, c Claim, o Outcome, took time.Duration)
	// Lost is called when a Worker cannot settle a claim because it no longer holds it,
	// or because Run returns before the inbox has answered.
	Lost func(ctx context.Context, c Claim)
	// Overdue is called when a callback still runs one Lease after [Worker.Timeout]
	// ended its context, and then every minute until it returns. The callback holds its
	// slot until then. The duration took begins with the attempt.
	Overdue func(ctx context.Context, c Claim, took time.Duration)
}

// LogObserver returns an Observer that logs deliveries received, claimed and settled
// to l, at level Debug. It does not log refusals, failures and lost claims: Receivers
// and Workers log those themselves, once. If l is nil, it is [slog.Default] at the
// time of each event.
func LogObserver(l *slog.Logger) *Observer {
	debug := func(ctx context.Context, msg string, attrs ...slog.Attr) {
		logger(l).LogAttrs(ctx, slog.LevelDebug, msg, attrs...)
	}
	return &Observer{
		Received: func(ctx context.Context, d *Delivery, err error, took time.Duration) {
			if err == nil {
				debug(ctx, "delivery received", slog.Any("delivery", d), slog.Duration("took", took))
			}
		},
		Claimed: func(ctx context.Context, c Claim) {
			debug(ctx, "delivery claimed", slog.Any("delivery", c.Delivery), slog.Int("attempt", c.Attempt))
		},
		Settled: func(ctx context.Context, c Claim, o Outcome, took time.Duration) {
			debug(ctx, "delivery settled", slog.Any("delivery", c.Delivery), slog.Int("attempt", c.Attempt),
				slog.String("state", string(o.State)), slog.Duration("took", took))
		},
	}
}

// MultiObserver returns an Observer that calls each of the given ones, in order. It
// skips those that are nil. A panic in one is logged, and the others are still called.
// The fields of the given Observers are read at each event.
func MultiObserver(os ...*Observer) *Observer {
	os = slices.Clone(os)
	return &Observer{
		Rejected: func(ctx context.Context, source string, status int, reason error) {
			for _, o := range os {
				o.rejected(ctx, source, status, reason)
			}
		},
		Received: func(ctx context.Context, d *Delivery, err error, took time.Duration) {
			for _, o := range os {
				o.received(ctx, d, err, took)
			}
		},
		Claimed: func(ctx context.Context, c Claim) {
			for _, o := range os {
				o.claimed(ctx, c)
			}
		},
		Settled: func(ctx context.Context, c Claim, out Outcome, took time.Duration) {
			for _, o := range os {
				o.settled(ctx, c, out, took)
			}
		},
		Lost: func(ctx context.Context, c Claim) {
			for _, o := range os {
				o.lost(ctx, c)
			}
		},
		Overdue: func(ctx context.Context, c Claim, took time.Duration) {
			for _, o := range os {
				o.overdue(ctx, c, took)
			}
		},
	}
}

// recoverObserver recovers and logs a panic of a func of an Observer.
func recoverObserver() {
	if v := recover(); v != nil {
		slog.Error("observer panicked", "reason", v, "stack", string(debug.Stack()))
	}
}

func (o *Observer) rejected(ctx context.Context, source string, status int, reason error) {
	if o != nil && o.Rejected != nil {
		defer recoverObserver()
		o.Rejected(ctx, source, status, original(reason))
	}
}

func (o *Observer) received(ctx context.Context, d *Delivery, err error, took time.Duration) {
	if o != nil && o.Received != nil {
		defer recoverObserver()
		o.Received(ctx, d, original(err), took)
	}
}

func (o *Observer) claimed(ctx context.Context, c Claim) {
	if o != nil && o.Claimed != nil {
		defer recoverObserver()
		o.Claimed(ctx, c)
	}
}

func (o *Observer) settled(ctx context.Context, c Claim, out Outcome, took time.Duration) {
	if o != nil && o.Settled != nil {
		defer recoverObserver()
		o.Settled(ctx, c, out, took)
	}
}

func (o *Observer) lost(ctx context.Context, c Claim) {
	if o != nil && o.Lost != nil {
		defer recoverObserver()
		o.Lost(ctx, c)
	}
}

func (o *Observer) overdue(ctx context.Context, c Claim, took time.Duration) {
	if o != nil && o.Overdue != nil {
		defer recoverObserver()
		o.Overdue(ctx, c, took)
	}
}
