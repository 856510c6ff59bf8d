package webhook

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// The settings of a Worker that sets none.
const (
	defaultWorkLimit   = 8
	defaultPoll        = 200 * time.Millisecond
	defaultWorkTimeout = 15 * time.Minute
	defaultGrace       = 8 * time.Second
	defaultMaxAttempts = 15
	defaultKeep        = 7 * 24 * time.Hour
	// sweepEvery and sweepBatch bound what retention does at a time.
	sweepEvery = time.Minute
	// longestPause is how far claiming backs off while the inbox fails.
	longestPause = 5 * time.Second
)

// A Worker claims deliveries from an inbox and hands them to a Handler, several
// at once, each under a lease that it renews while the Handler runs. Several
// Workers, in one process or many, may share an inbox. Set the fields before
// Run.
//
// What the Handler returns decides: nil and [ErrDuplicate] are done,
// [ErrIgnored] is ignored, [Permanent] and [ErrMalformed] are dead at once,
// [RetryAfter] says when, a panic and every other error are tried again after
// Retry until MaxAttempts. [ErrNoHandler] is put back uncounted.
//
// A Handler that ignores the end of its context may still run when its
// delivery is claimed again: where that matters, let its effects and the
// settlement commit together.
type Worker struct {
	// Limit is how many deliveries are worked on at once. Zero means 8.
	Limit int
	// Poll is how often an inbox that cannot notify is asked. Zero means 200 ms.
	Poll time.Duration
	// Lease is how long a claim is held before it must be renewed, and how long
	// the work of a killed process waits. Zero means 30 s.
	Lease time.Duration
	// Timeout bounds one attempt: then the lease is no longer renewed and the
	// Handler's context ends with cause [ErrClaimLost]. Raise it for work that
	// takes longer. Zero means 15 min.
	Timeout time.Duration
	// Grace is how long Run lets callbacks finish after its context has ended.
	// Zero means 8 s.
	Grace time.Duration
	// MaxAttempts is how often a delivery is tried. One that was claimed more
	// often, because it ended the process each time, is dead without another run.
	// Zero means 15, which the default Retry spreads over two to three hours.
	MaxAttempts int
	// Retry is the wait between attempts. Zero means 1 s doubled up to 1 h.
	Retry Backoff
	// SkipRetrying lets younger deliveries of a Key pass one that waits for its
	// retry. Zero means that the Key waits, in order.
	SkipRetrying bool
	// Keep is how long finished deliveries are kept, where the inbox is a
	// [Sweeper]. Zero means 7 days; negative means for ever.
	Keep time.Duration
	// Logger gets failures and ends. Zero means slog.Default.
	Logger *slog.Logger
	// Observe is told what happens. Zero means nobody.
	Observe *Observer

	inbox   Inbox
	handler Handler
}

// NewWorker panics on a nil Inbox and a nil Handler. The Worker claims only the
// types that h tells as a [Router], every type where it tells none.
func NewWorker(in Inbox, h Handler) *Worker {
	if in == nil {
		panic("webhook: NewWorker needs an inbox")
	}
	mustHandle("NewWorker", h)
	return &Worker{inbox: in, handler: h}
}

// Run works until ctx ends, then claims nothing more and returns nil when all
// that was claimed is settled. What runs on when Grace is over has its context
// ended with cause [ErrShutdown]; what fails then is given back uncounted. What
// has not returned a second later is given back too, and Run returns
// [ErrShutdown], since such a callback may still be running. So Run returns two
// seconds after Grace at the latest, with an inbox that heeds its context. An
// inbox that fails is logged and asked again. Run may be called once at a time.
func (w *Worker) Run(ctx context.Context) error {
	// Callbacks outlive ctx until Grace is over.
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	p := &pool{
		Worker:  w,
		slots:   make(chan struct{}, w.limit()),
		running: make(map[*attempt]struct{}),
	}
	var sweeping sync.WaitGroup
	sweeping.Go(func() { w.sweep(ctx) })
	ended := make(chan time.Time, 1)
	context.AfterFunc(ctx, func() { ended <- time.Now() })
	p.claimUntil(ctx, work)
	err := p.drain(stop, <-ended)
	sweeping.Wait()
	return err
}

// sweep forgets what has been finished for longer than Keep, and old marks also
// where that is for ever.
func (w *Worker) sweep(ctx context.Context) {
	s, ok := w.inbox.(Sweeper)
	if !ok {
		return
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		n, err := s.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			w.logger().Error("inbox could not forget finished deliveries", "reason", err)
		}
		if err == nil && n > 0 {
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

func (w *Worker) limit() int             { return positive(w.Limit, defaultWorkLimit) }
func (w *Worker) maxAttempts() int       { return positive(w.MaxAttempts, defaultMaxAttempts) }
func (w *Worker) poll() time.Duration    { return positive(w.Poll, defaultPoll) }
func (w *Worker) lease() time.Duration   { return positive(w.Lease, defaultLease) }
func (w *Worker) timeout() time.Duration { return positive(w.Timeout, defaultWorkTimeout) }
func (w *Worker) grace() time.Duration   { return positive(w.Grace, defaultGrace) }
func (w *Worker) keep() time.Duration    { return positive(w.Keep, defaultKeep) }

// positive returns v, or what zero means.
func positive[T int | time.Duration](v, zero T) T {
	if v <= 0 {
		return zero
	}
	return v
}
