package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/hookhouse/hookhouse/internal/limit"
)

// The defaults of a Worker.
const (
	defaultConcurrency     = 8
	defaultPollInterval    = 200 * time.Millisecond
	defaultWorkTimeout     = 15 * time.Minute
	defaultShutdownTimeout = 8 * time.Second
	defaultMaxAttempts     = 15

	// longestPause is the maximum pause between calls while the inbox fails.
	longestPause = 5 * time.Second
	// longestIdle is the maximum time without a Claim of a NextDuer. It bounds the delay
	// after the clock was set, and it lets a Health say that the inbox answers.
	longestIdle = time.Minute
)

// A Worker claims deliveries from a [Queue] and runs a [Handler] for each of them,
// several at once. It renews the lease of each claim while the Handler runs. Several
// Workers, in one process or in many, may share an inbox. Set the fields before Run. A
// Worker must not be copied.
//
// The outcome of an attempt depends on the error that the Handler returns. The first
// matching line applies:
//
//	Postpone                                  again after its delay, uncounted, in order
//	nil, ErrDuplicate                         done
//	ErrIgnored                                ignored
//	ErrMalformed                              dead
//	ErrNoHandler                              again in a minute, uncounted
//	any other, after ShutdownTimeout          again, uncounted
//	Permanent                                 dead
//	any other, in the last of MaxAttempts     dead
//	RetryAfter                                again after its delay
//	any other, a panic                        again after Retry
//
// Some errors wrap others:
//
//   - Errors that are joined by [errors.Join] match one of the first five lines only if
//     each of them matches that line, and Permanent only if each of them is Permanent or
//     ErrMalformed. If one of them may be temporary, the delivery is tried again.
//   - Postpone takes precedence over every other, and Permanent over RetryAfter, whichever
//     wraps the other.
//   - Of several RetryAfter the first applies.
//   - RetryOutOfOrder lets younger deliveries of the ordering key run while this one waits.
//   - When the Handler's context has ended, because of Timeout or a lost claim,
//     Permanent counts as any other error: it may be the error of a killed command.
//
// A Handler that has not returned one Lease after Timeout is overdue. The Worker logs
// it, calls Observer, and settles the delivery as failed, so that another process can
// try it again. This process does not claim the delivery before the Handler returns,
// and the Handler holds its slot until then. If overdue Handlers hold all slots for
// the longest of their Timeouts, Run returns [ErrStuck]. So a Handler that ignores the
// end of its context may still run when its delivery is claimed again. If that would do
// harm, commit the Handler's effects and the settlement in one transaction.
//
// A delivery is suspect if its process ended twice in a row while it was claimed. It
// runs alone, unless SuspectsRunTogether is set:
//
//   - The Worker claims nothing while the suspect waits for the attempts in progress,
//     which takes at most the longest Timeout and two Leases, nor while the suspect
//     runs.
//   - If the inbox cannot begin the suspect for one Lease, or within Timeout, the
//     suspect is put back for at least as long as that took.
//   - If the process ends while the suspect runs, that is counted as a crash of this
//     delivery. After MaxAttempts it is dead without another run. Other deliveries are
//     not affected.
//
// Types has other settings for single types. What is said here about MaxAttempts,
// Timeout, Retry and RetryOutOfOrder then applies to those of the type.
type Worker struct {
	// Concurrency is the maximum number of attempts at once. Zero means 8.
	Concurrency int
	// PollInterval is how long the Worker waits before it claims again, unless there may
	// be more to claim or a [Notifier] signals a change. It notices so that a retry is
	// due, a lease has expired, or another process has stored a delivery. A [NextDuer] is
	// not polled. Zero means 200 ms.
	PollInterval time.Duration
	// Lease is how long a claim is held before it must be renewed. When a process is
	// killed, its deliveries wait that long. Zero means 30 s.
	Lease time.Duration
	// Timeout is the maximum duration of one attempt. After that the Handler's context
	// ends with cause [ErrClaimLost]. What the Handler returns within one more Lease
	// still counts. Raise Timeout for work that takes longer. Zero means 15 min.
	Timeout time.Duration
	// ShutdownTimeout is how long callbacks may take to finish after Run's context has
	// ended. Zero means 8 s.
	ShutdownTimeout time.Duration
	// MaxAttempts is the maximum number of attempts of a delivery. Zero means 15, which
	// take from an hour and a half to a little over three hours with the default Retry.
	MaxAttempts int
	// Retry is the wait between attempts. Zero means 1 s, doubled up to 1 h.
	Retry Backoff
	// Types overrides settings for single types, such as "github.push". A type that the
	// Handler does not handle is an error of Run, so that a misspelled one is found. Nil
	// means none.
	Types map[string]Policy
	// RetryOutOfOrder lets younger deliveries of an ordering key run while an older one
	// waits for its retry. If false, they wait too, and run in order, unless the error is
	// one of the func [RetryOutOfOrder].
	RetryOutOfOrder bool
	// SuspectsRunTogether lets suspects run beside other deliveries, and the Worker goes on
	// claiming. Set it if no delivery can end the process, because the Handler only passes
	// on what a delivery has, for instance. Then a slow suspect holds up nobody. What is
	// said above about suspects that cannot begin, and about those that have ended the
	// process for MaxAttempts, still applies: if the process ends, that counts as a crash of
	// each suspect that runs.
	SuspectsRunTogether bool
	// KeepRunning prevents Run from returning ErrStuck. A stuck Worker then waits until
	// a Handler returns.
	KeepRunning bool
	// Name is who claims, for [ClaimOptions.By]. Empty means the host name and the
	// process ID.
	Name string
	// Logger receives failures and outcomes that are not a success. If nil, it is
	// slog.Default.
	Logger *slog.Logger
	// Observer, if not nil, receives events for metrics.
	Observer *Observer

	inbox   guardedQueue
	handler Handler
	health  healthRecord
}

// NewWorker returns a Worker that runs h for the deliveries of q. Every [Inbox] is a
// Queue. If q is a [Notifier], a [NextDuer] or a [Sweeper], the Worker uses its methods. If h is a
// [Router], the Worker claims only its types. Otherwise it claims every type, and logs a
// warning when it runs. NewWorker panics on a nil Queue and on a nil Handler.
func NewWorker(q Queue, h Handler) *Worker {
	if q == nil {
		panic("webhook: NewWorker needs a queue")
	}
	mustHandle("NewWorker", h)
	return &Worker{inbox: guardedQueue{q}, handler: h}
}

// Run works until ctx ends. Then it claims nothing more, and returns nil when all
// claims are settled. Errors of the inbox are logged, and the inbox is called again.
// To work only what is due use [Worker.Drain].
//
// When ctx has ended:
//
//   - Callbacks may run for ShutdownTimeout. After that their contexts end with cause
//     [ErrShutdown], and those that fail are put back uncounted.
//   - Deliveries whose callbacks have not returned a second later are put back too. Run
//     then returns [ErrShutdown], since those callbacks may still be running.
//   - Run returns at most two seconds after ShutdownTimeout, and slightly later if the
//     inbox ignores its context.
//
// Before ctx ends Run returns only these errors:
//
//   - [ErrStuck], when all claims are settled and the process should be ended.
//   - [ErrPanic], when the Handler's Types panics or the inbox's Claim ends its
//     goroutine.
//   - [ErrRunning], when Run or Drain of this Worker has not returned.
//   - [ErrNoHandler], before anything is claimed, when Types has a type that the Handler
//     does not handle. If Types has a Concurrency and the Handler handles every type,
//     the error is not a sentinel.
func (w *Worker) Run(ctx context.Context) error { return w.run(ctx, nil) }

// run is Run, or Drain if due is not nil.
func (w *Worker) run(ctx context.Context, due *dueWork) error {
	types, err := w.types()
	if err == nil {
		err = w.checkTypes(types)
	}
	if err != nil {
		return err
	}
	// Callbacks continue after ctx ends, until ShutdownTimeout is over.
	runCtx, cancelRun := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancelRun(nil)
	ctx, endRun := context.WithCancelCause(ctx)
	defer endRun(nil)
	p := newPool(w, types, runCtx, endRun)
	p.due = due
	if !w.recordRun(p) {
		return ErrRunning
	}
	defer w.recordEnd()
	pools.add(p)
	defer p.close()
	warnOfTypes(w.logger(), w.handler, types)
	sweepingEnded := make(chan struct{})
	go func() {
		defer close(sweepingEnded)
		w.sweep(ctx)
	}()
	claimingEnded := make(chan struct{})
	go func() {
		defer close(claimingEnded)
		defer p.fail(fmt.Errorf("webhook: the inbox's Claim: %w", goexitError()))
		p.claimUntil(ctx, runCtx)
	}()
	<-ctx.Done()
	ended := time.Now()
	p.stopStarting(claimingEnded)
	err = p.shutDown(cancelRun, ended, p.failure(ctx))
	limit := time.NewTimer(w.shutdownTimeout() + 2*drainGrace - time.Since(ended))
	defer limit.Stop()
	select {
	case <-sweepingEnded:
	case <-limit.C: // the inbox ignores its context
	}
	return err
}

// types returns the types that the Handler handles.
func (w *Worker) types() (types []string, err error) {
	defer recoverTo(&err)
	return typesOf(w.handler), nil
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
func (w *Worker) lease() time.Duration        { return positive(w.Lease, limit.Lease) }
func (w *Worker) timeout() time.Duration      { return positive(w.Timeout, defaultWorkTimeout) }
func (w *Worker) shutdownTimeout() time.Duration {
	return positive(w.ShutdownTimeout, defaultShutdownTimeout)
}
