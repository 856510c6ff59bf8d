package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"
)

// The settings of a Spool that sets none.
const (
	defaultPrimaryTimeout = 2 * time.Second
	defaultForwards       = 16
	defaultSpoolFirst     = 250 * time.Millisecond
	defaultSpoolMax       = 10 * time.Second
	// localTimeouts times PrimaryTimeout is what local gets: with the default both
	// together keep the 10 seconds after which GitHub and Kudu give up.
	localTimeouts = 4
	// forwardTimeouts times PrimaryTimeout is what primary gets when nobody waits
	// for the answer, so that one that is only slow catches up.
	forwardTimeouts = 10
)

// A Spool is a Handler that stores into a primary inbox, and into a local one
// while the primary is slow or away. Like [Store] its nil means stored, in one
// of the two. [Spool.Run] forwards what is in local. Set the fields before use;
// a Spool is safe for concurrent use.
//
//	spool := webhook.NewSpool(postgres, sqlite)
//	http.Handle("/hooks/github", webhook.NewReceiver(source, spool))
//	go spool.Run(ctx)                              // where the receiver is
//	webhook.NewWorker(postgres, &mux).Run(ctx)     // wherever the work is done
//
// Either side may stop and start at any point. A delivery that may be in both,
// because primary stored it and could not say so, is there once: Put knows its
// UID.
//
// Order: of one ordering key, what was acknowledged before another arrived is
// in primary before it. So all goes to local until local is empty, and from the
// start until Run has looked. This holds for what passes one Spool: a local
// inbox belongs to one Spool of one process and to no Worker, and an ordering
// key that arrives at two machines has an order only within each.
//
// Duplicates: what primary knows is success, by UID and by dedup key. Local
// finds by its own dedup keys what it holds; of what it has forwarded the
// primary decides, so that a redelivery revives what died there.
//
// Coalescing is left to primary, which gets every delivery: Quiet and Max count
// from then on. Meanwhile local keeps them in the header Hookhouse-Spool.
//
// What primary refuses for good, with an error that is [Permanent] or
// [ErrMalformed], Handle refuses as well: primary is well, and the others go on to
// it. Where it was acknowledged into local before, it ends [Dead] there with the
// reason. Anything else is tried until it succeeds, and its ordering key waits.
//
// Without Run nothing leaves local: the Spool warns of that in the log.
type Spool struct {
	// PrimaryTimeout is how long primary may take before local is asked: half of
	// what is left, where the context ends sooner. Local may take four times as
	// long. Zero means 2 s.
	PrimaryTimeout time.Duration
	// Concurrency is how many deliveries are forwarded at once. Choose it so that
	// forwarding is faster than what arrives, or local fills up. Zero means 16.
	Concurrency int
	// Lease is how long what a killed process was forwarding waits, and all that
	// arrives with it goes to local. Zero means 30 s.
	Lease time.Duration
	// Retry is the wait after primary took none: then one delivery at a time is
	// tried. Zero means 250 ms doubled up to 10 s, each if it is zero.
	Retry Backoff
	// Logger gets failures and turns from one inbox to the other. Zero means
	// slog.Default.
	Logger *slog.Logger

	primary Handler
	local   Handler
	inbox   pendingInbox // local
	turn    turnout
	pace    pace
	present attendance
	settled chan struct{} // has an element after a forwarded one was settled
}

type pendingInbox interface {
	Inbox
	PendingCounter
}

// NewSpool panics on a nil Inbox, and on a local one that is no
// [PendingCounter]. For what a Spool promises local must be as durable as
// primary, and on the machine that runs Run.
func NewSpool(primary, local Inbox) *Spool {
	if primary == nil || local == nil {
		panic("webhook: NewSpool needs two inboxes")
	}
	inbox, ok := local.(pendingInbox)
	if !ok {
		panic(fmt.Sprintf("webhook: the local inbox of a Spool must be a PendingCounter, and %T is none", local))
	}
	return &Spool{primary: Store(primary), local: Store(local), inbox: inbox, settled: make(chan struct{}, 1)}
}

// Handle stores d. Nil means that it is committed in primary or in local, a
// [*DuplicateError] that it was there; any other error wraps [ErrNotStored], so
// that the sender gets 503: both failed, local is full, or primary refuses this
// delivery for good. It returns within
// five times PrimaryTimeout and a quarter of a second, with inboxes that heed
// their contexts. It may be called before Run and after it: what went to local
// stays there until the next Run.
func (s *Spool) Handle(ctx context.Context, d *Delivery) error {
	if !s.turn.enter(ctx) {
		defer s.turn.leave()
		return s.park(ctx, d, nil)
	}
	trial, cancel := context.WithTimeout(ctx, s.primaryTimeoutWithin(ctx))
	defer cancel()
	err := safely(trial, s.primary, d)
	if err == nil || isAll(err, ErrDuplicate) {
		return err
	}
	if IsPermanent(err) { // primary is well: it is this delivery that it does not take
		return err
	}
	if ctx.Err() != nil { // nobody waits for the answer, and primary is not to blame
		return err
	}
	if s.turn.divert() {
		s.logger().Warn("primary inbox failed; deliveries go to the local one", "reason", err)
	}
	defer s.turn.leave()
	return s.park(ctx, d, err)
}

// park stores d in local. Why is what primary said, if it was asked.
func (s *Spool) park(ctx context.Context, d *Delivery, why error) error {
	ctx, cancel := context.WithTimeout(ctx, localTimeouts*s.primaryTimeout())
	defer cancel()
	err := safely(ctx, s.local, aside(d, false))
	if known, ok := errors.AsType[*DuplicateError](err); ok && known.State == Done && known.UID != d.UID {
		err = safely(ctx, s.local, aside(d, true)) // the first is in primary: let that decide
	}
	if err == nil {
		s.present.note(s.warnUnattended)
	}
	if err != nil && !errors.Is(err, ErrDuplicate) && why != nil {
		return fmt.Errorf("%w (primary: %v)", err, why)
	}
	return err
}

func (s *Spool) warnUnattended(stored int) {
	s.logger().Warn("deliveries are kept in the local inbox and nobody forwards them: call Spool.Run", "stored", stored)
}

// Run forwards from local to primary, in the order of each ordering key, until
// ctx ends. Then it claims nothing more, gives what it is forwarding
// PrimaryTimeout to end, leaves the rest in local for the next Run, and returns
// nil; [ErrShutdown] if an inbox that ignores its context still has one of
// them. That takes PrimaryTimeout and two seconds at most. Run may be called
// once at a time. Stop in this order: http.Server.Shutdown, Run has returned,
// close the databases.
func (s *Spool) Run(ctx context.Context) error {
	s.present.begin()
	defer s.present.end()
	w := NewWorker(s.inbox, HandlerFunc(func(work context.Context, d *Delivery) error {
		return s.forward(work, ctx, d)
	}))
	w.Concurrency, w.Lease, w.Logger = positive(s.Concurrency, defaultForwards), s.Lease, s.Logger
	w.KeepRunning = true // Handle goes on to store into local
	w.Retry, w.MaxAttempts, w.ShutdownTimeout = s.retry(), math.MaxInt, s.primaryTimeout()
	w.Observer = &Observer{Settled: func(Claim, Outcome, time.Duration) {
		select {
		case s.settled <- struct{}{}:
		default:
		}
	}}
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(ctx) })
	err := w.Run(ctx)
	watching.Wait()
	return err
}

// Volatile reports whether primary or local keeps deliveries in memory only.
func (s *Spool) Volatile() bool { return isVolatile(s.primary) || isVolatile(s.local) }

// primaryTimeoutWithin leaves half of the time that is left to local.
func (s *Spool) primaryTimeoutWithin(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(s.primaryTimeout(), time.Until(end)/2)
	}
	return s.primaryTimeout()
}

func (s *Spool) retry() Backoff {
	return Backoff{First: positive(s.Retry.First, defaultSpoolFirst), Max: positive(s.Retry.Max, defaultSpoolMax)}
}

func (s *Spool) primaryTimeout() time.Duration {
	return positive(s.PrimaryTimeout, defaultPrimaryTimeout)
}
func (s *Spool) logger() *slog.Logger { return logger(s.Logger) }
