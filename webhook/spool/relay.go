package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	defaultConcurrency  = 16
	defaultRelayTimeout = 20 * time.Second
	defaultRetryFirst   = 250 * time.Millisecond
	defaultRetryMax     = 10 * time.Second
	// minRunTimeout is the least time limit of one run under a claim, which waits for
	// the breaker and then calls the Handler.
	minRunTimeout = 15 * time.Minute
)

// A Relay claims deliveries from a [webhook.Queue] and passes each to a Handler, for
// example [webhook.Store] of another inbox or a client of a broker. It claims deliveries
// of every type, or of Types. Several Relays may share a Queue. Set the fields before Run,
// and do not copy a Relay.
//
//   - A delivery is settled as [webhook.Done] in the Queue after the Handler returned nil,
//     or an error for which [webhook.IsDuplicate] is true. If the process is killed between
//     the two, the delivery is passed to the Handler again: the Handler must recognize its
//     UID, as Put of every Inbox does.
//   - If [webhook.IsPermanent] is true of the Handler's error, the delivery ends
//     [webhook.Dead] in the Queue, with the reason. Nothing else makes it dead: no number of
//     failures, and no end of the process while it was passed on.
//   - After any other error, also [webhook.ErrIgnored] and [webhook.ErrNoHandler], the
//     delivery is tried again until it succeeds, without a limit of attempts.
//   - A duplicate of itself that is [webhook.Claimed] is tried again too: it may be the claim
//     of the Relay, whose Handler puts deliveries into the Queue that they come from. Such a
//     Relay moves nothing and loses nothing, and the log says why.
//   - Of one ordering key the next delivery is passed on when the one before is settled.
//     Deliveries of different keys are passed on at the same time.
//   - After a failure the Relay tries one delivery at a time, with growing waits, until one
//     succeeds.
//   - The Handler gets each delivery as it was stored: with its UID, dedup keys, ordering
//     key, Coalesce, NotBefore, Malformed and Unsigned. Quiet and Max count again in the
//     inbox that it is put into. The Queue gives out no delivery before its NotBefore.
//
// To move to another database, stop the receivers, run a Relay until
// [webhook.PendingCounter] counts nothing in the old inbox, and start the receivers with
// the new one. If they store into the new inbox earlier, a younger delivery can be in it
// before an older one of its ordering key. Finished deliveries are not moved, nor are their
// dedup keys: a redelivery of one of them is stored in the new inbox. To empty the local
// inbox of a [Spool], run a Spool, which restores what it changed for local.
type Relay struct {
	// Types are the types of the deliveries that are passed on. The Relay leaves the others in
	// the Queue, for Workers. If nil, every type is passed on.
	Types []string
	// Concurrency is the number of deliveries that are passed on at once. Zero means 16.
	Concurrency int
	// Lease is how long a delivery waits if the process that passes it on is killed. Zero
	// means 30 s.
	Lease time.Duration
	// Timeout is the time limit of one call of the Handler. Zero means 20 s.
	Timeout time.Duration
	// ShutdownTimeout is how long Run lets calls of the Handler finish after its context
	// is done. Zero means 8 s.
	ShutdownTimeout time.Duration
	// Retry is the wait after a failure. A zero First means 250 ms, and a zero Max 10 s.
	Retry webhook.Backoff
	// Logger gets failures. If nil, slog.Default is used.
	Logger *slog.Logger
	// Observer, if non-nil, receives the events of the claims.
	Observer *webhook.Observer

	from        webhook.Queue
	to          webhook.Handler
	breaker     *breaker
	keepRunning bool // as Worker.KeepRunning
}

// NewRelay returns a Relay from a Queue to a Handler. Every [webhook.Inbox] is a Queue.
// NewRelay panics if an argument is nil.
func NewRelay(from webhook.Queue, to webhook.Handler) *Relay {
	if from == nil {
		panic("spool: NewRelay needs a queue")
	}
	if to == nil {
		panic("spool: NewRelay needs a handler")
	}
	return &Relay{from: from, to: webhook.Recover(to), breaker: new(breaker)}
}

// Run passes deliveries on until ctx is done. Then it claims no more, gives the calls of
// the Handler ShutdownTimeout to finish, leaves the other deliveries in the Queue, and
// returns nil; or [webhook.ErrShutdown] if a Handler that ignores its context is still
// running. That takes ShutdownTimeout and two seconds at most. Before ctx is done, Run
// returns only [webhook.ErrStuck], when calls that do not return hold every slot, or
// [webhook.ErrPanic], when Claim of the Queue ends its goroutine. Run must not be called
// while another call of it is running.
func (r *Relay) Run(ctx context.Context) error {
	w := webhook.NewWorker(r.from, typed{webhook.HandlerFunc(func(run context.Context, d *webhook.Delivery) error {
		return r.forward(run, ctx, d)
	}), r.Types})
	w.Concurrency, w.Lease, w.ShutdownTimeout = orDefault(r.Concurrency, defaultConcurrency), r.Lease, r.ShutdownTimeout
	w.Timeout, w.KeepRunning = max(minRunTimeout, 2*r.timeout()), r.keepRunning
	w.Retry, w.MaxAttempts = r.retry(), math.MaxInt
	w.Logger, w.Observer = r.Logger, r.Observer
	return w.Run(ctx)
}

// A typed is a Handler of some types; nil means every type.
type typed struct {
	webhook.Handler
	types []string
}

// Types returns the types that a Worker claims.
func (t typed) Types() []string { return t.types }

// forward passes one claimed delivery on. Its error is for the Worker: only an error
// that is permanent ends the delivery. The context stop is that of Run.
func (r *Relay) forward(ctx, stop context.Context, d *webhook.Delivery) error {
	probe, err := r.breaker.acquire(ctx, stop)
	if err != nil {
		return webhook.RetryAfter(0, err) // the next Run claims it again
	}
	answered := false // stays false if the Handler ends its goroutine
	defer func() { r.breaker.report(probe, answered, r.retry()) }()
	try, cancel := context.WithTimeout(ctx, r.timeout())
	defer cancel()
	err = r.to.Handle(try, d)
	if isOwnClaim(err, d) {
		return fmt.Errorf("spool: the delivery is claimed where it is passed to: by a Worker, or by this Relay, if it passes deliveries into the queue that they come from: %v", err)
	}
	known := webhook.IsDuplicate(err)
	answered = err == nil || known || webhook.IsPermanent(err)
	switch {
	case known:
		r.logger().LogAttrs(ctx, slog.LevelDebug, "forwarded delivery was known", slog.Any("delivery", d), slog.String("reason", err.Error()))
		return nil
	case errors.Is(err, webhook.ErrIgnored), errors.Is(err, webhook.ErrNoHandler): // the delivery was not passed on
		return fmt.Errorf("spool: forwarding: %v", err)
	default:
		return err
	}
}

// isOwnClaim reports whether err refuses d as a duplicate of itself that is claimed. If the
// Handler puts deliveries into the Queue of the Relay, each one is.
func isOwnClaim(err error, d *webhook.Delivery) bool {
	known, ok := errors.AsType[*webhook.DuplicateError](err)
	return ok && known.UID == d.UID && known.State == webhook.Claimed
}

func (r *Relay) retry() webhook.Backoff {
	return webhook.Backoff{First: orDefault(r.Retry.First, defaultRetryFirst), Max: orDefault(r.Retry.Max, defaultRetryMax)}
}

func (r *Relay) timeout() time.Duration { return orDefault(r.Timeout, defaultRelayTimeout) }

func (r *Relay) logger() *slog.Logger { return cmp.Or(r.Logger, slog.Default()) }

// orDefault returns v, or the default if v is not positive.
func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
