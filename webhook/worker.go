package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// The settings of a Worker that sets none.
const (
	defaultConcurrency     = 8
	defaultPollInterval    = 200 * time.Millisecond
	defaultWorkTimeout     = 15 * time.Minute
	defaultShutdownTimeout = 8 * time.Second
	defaultMaxAttempts     = 15
	// sweepEvery is how often an inbox is asked to sweep.
	sweepEvery = time.Minute
	// longestPause is how far claiming backs off while the inbox fails.
	longestPause = 5 * time.Second
)

// A Worker claims deliveries from a [Queue] and hands them to a Handler, several
// at once, each under a lease that it renews while the Handler runs. Several
// Workers, in one process or many, may share an inbox. Set the fields before
// Run, and do not copy it.
//
// What the Handler returns decides. The first line that fits holds:
//
//	nil, ErrDuplicate                         done
//	ErrIgnored                                ignored
//	ErrMalformed                              dead
//	ErrNoHandler                              again in a minute, uncounted
//	any other, after ShutdownTimeout          again, uncounted
//	Permanent                                 dead
//	any other, in the last of MaxAttempts     dead
//	RetryAfter                                again when it says
//	any other, a panic                        again after Retry
//
// Of errors that are joined ([errors.Join]) each one must fit a line before
// ShutdownTimeout's, or be Permanent: one among them that may pass is reason to
// try again. Permanent goes before RetryAfter, whichever is outside; of several
// RetryAfter the first holds. Once the Handler's context has ended, by Timeout
// or a lost claim, Permanent is as any other: it may be what became of a killed
// command.
//
// A Handler that has not returned one Lease after Timeout is overdue: the Worker
// logs it, tells Observer, and settles the delivery as tried, to be tried again
// by another process. This one does not claim it before the Handler returns,
// which holds its slot until then. When overdue Handlers hold all slots for one
// Timeout more, Run ends with [ErrStuck]. So a Handler that ignores the end of
// its context may still run when its delivery is claimed again: where that
// matters, let its effects and the settlement commit together.
//
// A delivery whose process ended twice in a row while it was claimed is suspect.
// It runs alone: nothing is claimed while it waits for what runs already, which
// takes Timeout and two Leases at most, nor while it runs. If the inbox cannot
// begin it for a Lease, or within Timeout, it is put back for as long as that took.
// If it ends the process when it runs alone, that is a crash of its own, and after
// MaxAttempts it is dead without another run; its neighbours are not.
type Worker struct {
	// Concurrency is how many deliveries are worked on at once. Zero means 8.
	Concurrency int
	// PollInterval is how often an inbox that cannot notify is asked. Zero means
	// 200 ms.
	PollInterval time.Duration
	// Lease is how long a claim is held before it must be renewed, and how long
	// the work of a killed process waits. Zero means 30 s.
	Lease time.Duration
	// Timeout bounds one attempt: then the Handler's context ends with cause
	// [ErrClaimLost]. What it returns within one Lease more still counts. Raise it
	// for work that takes longer. Zero means 15 min.
	Timeout time.Duration
	// ShutdownTimeout is how long Run lets callbacks finish after its context has
	// ended. Zero means 8 s.
	ShutdownTimeout time.Duration
	// MaxAttempts is how often a delivery is tried. Zero means 15, which the default
	// Retry spreads over two to three hours.
	MaxAttempts int
	// Retry is the wait between attempts. Zero means 1 s doubled up to 1 h.
	Retry Backoff
	// RetryOutOfOrder lets younger deliveries of an ordering key pass one that
	// waits for its retry. Zero means that the ordering key waits, in order.
	RetryOutOfOrder bool
	// KeepRunning keeps Run from ending with ErrStuck. The Worker then works on
	// nothing until a Handler returns. Zero means that Run ends.
	KeepRunning bool
	// Name is who claims, for [ClaimOptions.By]. Empty means the host name and the
	// process ID.
	Name string
	// Logger gets failures and ends. Zero means slog.Default.
	Logger *slog.Logger
	// Observer has funcs that are called when something happens. May be nil.
	Observer *Observer

	inbox   guarded
	handler Handler
	vitals  vitals
}

// NewWorker panics on a nil Queue and a nil Handler. Every [Inbox] is a Queue. If
// q is a [Notifier] or a [Sweeper], the Worker uses that. It claims only the
// types that h tells as a [Router], every type where it tells none.
func NewWorker(q Queue, h Handler) *Worker {
	if q == nil {
		panic("webhook: NewWorker needs a queue")
	}
	mustHandle("NewWorker", h)
	return &Worker{inbox: guarded{q}, handler: h}
}

// Run works until ctx ends, then claims nothing more and returns nil when all
// that was claimed is settled. What runs on when ShutdownTimeout is over has
// its context ended with cause [ErrShutdown]; what fails then is given back
// uncounted. What has not returned a second later is given back too, and Run
// returns [ErrShutdown], since such a callback may still be running. So Run
// returns two seconds after ShutdownTimeout at the latest; an inbox that
// ignores its context is left behind a moment later. An inbox that fails is
// logged and asked again. Run may be called once at a time.
//
// Before ctx ends Run returns for two reasons only: [ErrStuck], when all claims
// are settled and the process should be ended; and [ErrPanic], when the Handler's
// Types panics, or a Claim of the inbox ends its goroutine.
func (w *Worker) Run(ctx context.Context) error {
	types, err := w.types()
	if err != nil {
		return err
	}
	warnIfIdle(w.logger(), types)
	// Callbacks outlive ctx until ShutdownTimeout is over.
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	p := newPool(w, work, end)
	underWay.add(p)
	defer p.close()
	w.begins(p)
	defer w.ends()
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		w.sweep(ctx)
	}()
	claimed := make(chan struct{})
	go func() {
		defer close(claimed)
		defer p.giveUp(fmt.Errorf("webhook: the inbox was asked to claim: %w", exited()))
		p.claimUntil(ctx, work, types)
	}()
	<-ctx.Done()
	ended := time.Now()
	p.heedNoClaims(claimed)
	err = p.drain(stop, ended, p.reason(ctx))
	limit := time.NewTimer(w.shutdownTimeout() + 2*lastMoment - time.Since(ended))
	defer limit.Stop()
	select {
	case <-swept:
	case <-limit.C: // the inbox ignores its context
	}
	return err
}

// types asks the Handler what it handles.
func (w *Worker) types() (types []string, err error) {
	defer contained(&err)
	return typesOf(w.handler), nil
}

// sweep asks the inbox, every minute until ctx ends, to delete what it keeps no
// longer.
func (w *Worker) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		n, err := w.inbox.sweep(ctx)
		if err != nil && ctx.Err() == nil {
			w.logger().Error("inbox could not forget finished deliveries", "reason", err)
		}
		if err == nil && n > 0 && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Worker) logger() *slog.Logger { return logger(w.Logger) }

// name returns Name, or what empty means.
func (w *Worker) name() string {
	if w.Name != "" {
		return w.Name
	}
	host, _ := os.Hostname() // without one the process ID alone
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

func (w *Worker) concurrency() int            { return positive(w.Concurrency, defaultConcurrency) }
func (w *Worker) maxAttempts() int            { return positive(w.MaxAttempts, defaultMaxAttempts) }
func (w *Worker) pollInterval() time.Duration { return positive(w.PollInterval, defaultPollInterval) }
func (w *Worker) lease() time.Duration        { return positive(w.Lease, defaultLease) }
func (w *Worker) timeout() time.Duration      { return positive(w.Timeout, defaultWorkTimeout) }
func (w *Worker) shutdownTimeout() time.Duration {
	return positive(w.ShutdownTimeout, defaultShutdownTimeout)
}

// positive returns v, or what zero means.
func positive[T int | int64 | time.Duration](v, zero T) T {
	if v <= 0 {
		return zero
	}
	return v
}
