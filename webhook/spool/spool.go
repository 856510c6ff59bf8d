package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	defaultPrimaryTimeout = 2 * time.Second
	// localTimeouts times PrimaryTimeout is the time limit of a Put into local. By
	// default both limits together fit in the 10 seconds after which GitHub and Kudu
	// give up.
	localTimeouts = 4
	// forwardTimeouts times PrimaryTimeout is the time limit of primary when no sender
	// waits for the answer, so that a primary that is only slow catches up.
	forwardTimeouts = 10
)

// A Spool is a [webhook.Handler] that stores deliveries in a primary inbox, and in a
// local one while the primary is slow or away. If Handle returns nil, the delivery is
// stored in one of the two, as with [webhook.Store]. [Spool.Run] forwards what is in
// local. Set the fields before use, and do not copy a Spool. It is safe for concurrent
// use.
//
//   - Ambiguous replies: if primary stored a delivery but the reply was lost, forwarding
//     it again is a duplicate by UID and has no effect. Either side may stop and start at
//     any point.
//   - Order: of one ordering key, a delivery that was acknowledged before another one
//     arrived is in primary before it. So every delivery goes to local until local is
//     empty, and also from the start until Run has checked that it is. This holds for the
//     deliveries that pass one Spool: a local inbox belongs to one Spool of one process
//     and to no Worker, and an ordering key that arrives at two machines has an order
//     within each only.
//   - Duplicates: a delivery that primary knows, by UID or by dedup key, is success. One that
//     is forwarded while primary has it claimed is tried again; see [Relay]. Local
//     rejects duplicates of the deliveries that it still holds. For forwarded ones primary
//     decides, so that a redelivery revives a delivery that is dead there.
//   - Coalescing: only primary coalesces. It gets every delivery, and Quiet and Max count
//     from then on. Likewise only primary waits for NotBefore. Meanwhile local keeps them in
//     the header Hookhouse-Spool.
//   - Refusals: if primary returns an error for which [webhook.IsPermanent] is true, Handle
//     returns it too, and the other deliveries still go to primary. A delivery that was
//     acknowledged into local before ends [webhook.Dead] there with the reason. After any
//     other error the delivery is tried again until it succeeds, and its ordering key waits.
//   - Without Run nothing leaves local: the Spool logs a warning.
type Spool struct {
	// PrimaryTimeout is the time that primary has before the delivery goes to local. It
	// is at most half of the time until the context ends. Local has four times as long.
	// Zero means 2 s.
	PrimaryTimeout time.Duration
	// Concurrency is the number of deliveries that are forwarded at once. Choose it so
	// that forwarding is faster than what arrives, or local fills up. Zero means 16.
	Concurrency int
	// Lease is how long a delivery waits if the process that forwards it is killed. Until
	// it is forwarded, every new delivery goes to local. Zero means 30 s.
	Lease time.Duration
	// Retry is the wait after primary failed to store a forwarded delivery. From then on
	// one delivery at a time is tried, until one succeeds. A zero First means 250 ms, and
	// a zero Max 10 s.
	Retry webhook.Backoff
	// Logger gets failures and each change from one inbox to the other. If nil,
	// slog.Default is used.
	Logger *slog.Logger

	primary   webhook.Handler
	local     webhook.Handler
	inbox     pendingInbox // local
	router    router
	breaker   breaker // of the relay from local to primary
	idle      idleMonitor
	forwarded chan struct{} // has an element after the relay has settled a delivery
}

type pendingInbox interface {
	webhook.Inbox
	webhook.PendingCounter
}

// New returns a Spool. The primary Handler is usually [webhook.Store] of an inbox. Another
// Handler must return nil only for a delivery that is stored; and when it gets a delivery
// again, it must store nothing and return nil or an error for which [webhook.IsDuplicate]
// is true. The local inbox must be a [webhook.PendingCounter], as durable as primary, and
// on the machine that calls Run. New panics if primary or local is nil, or local is not a
// PendingCounter.
func New(primary webhook.Handler, local webhook.Inbox) *Spool {
	if primary == nil {
		panic("spool: New needs a primary handler")
	}
	if local == nil {
		panic("spool: New needs a local inbox")
	}
	inbox, ok := local.(pendingInbox)
	if !ok {
		panic(fmt.Sprintf("spool: the local inbox must be a webhook.PendingCounter, and %T is not", local))
	}
	return &Spool{
		primary: webhook.Recover(primary), local: webhook.Store(local), inbox: inbox,
		forwarded: make(chan struct{}, 1),
	}
}

// Handle stores d. It returns nil if d is committed in primary or in local, and a
// [*webhook.DuplicateError] if it was stored there before. Any other error wraps
// [webhook.ErrNotStored], so that the sender gets 503: both inboxes failed, local is
// full, or primary refuses this delivery permanently. Handle returns within five times
// PrimaryTimeout and a quarter of a second, if both inboxes obey their contexts. It may
// be called before Run and after it: what goes to local stays there until the next Run.
func (s *Spool) Handle(ctx context.Context, d *webhook.Delivery) error {
	if !s.router.route(ctx) {
		defer s.router.done()
		return s.storeLocal(ctx, d, nil)
	}
	try, cancel := context.WithTimeout(ctx, s.primaryTimeoutWithin(ctx))
	defer cancel()
	err := s.primary.Handle(try, d)
	switch {
	case err == nil, webhook.IsDuplicate(err):
		return err
	case webhook.IsPermanent(err): // primary works: it refuses this delivery only
		return notStored(err)
	case ctx.Err() != nil: // the caller gave up, which may not be a failure of primary
		return notStored(err)
	}
	if s.router.failover() {
		s.logger().Warn("primary inbox failed; deliveries go to the local one", "reason", err)
	}
	defer s.router.done()
	return s.storeLocal(ctx, d, err)
}

// storeLocal stores d in local. If primary was tried, primaryErr is its error.
func (s *Spool) storeLocal(ctx context.Context, d *webhook.Delivery, primaryErr error) error {
	ctx, cancel := context.WithTimeout(ctx, localTimeouts*s.primaryTimeout())
	defer cancel()
	err := s.local.Handle(ctx, encodeForLocal(d, false))
	if known, ok := errors.AsType[*webhook.DuplicateError](err); ok && known.State == webhook.Done && known.UID != d.UID {
		err = s.local.Handle(ctx, encodeForLocal(d, true)) // the first was forwarded, so primary decides
	}
	if err == nil {
		s.idle.stored(s.warnIdle)
	}
	if err != nil && !errors.Is(err, webhook.ErrDuplicate) && primaryErr != nil {
		return fmt.Errorf("%w (primary: %v)", err, primaryErr)
	}
	return err
}

// notStored returns err so that it wraps ErrNotStored.
func notStored(err error) error {
	if errors.Is(err, webhook.ErrNotStored) {
		return err
	}
	return fmt.Errorf("%w: %w", webhook.ErrNotStored, err)
}

// Run forwards deliveries from local to primary, in the order of each ordering key,
// until ctx is done. Then it claims no more, gives the deliveries that it is forwarding
// PrimaryTimeout to finish, leaves the others in local for the next Run, and returns
// nil; or [webhook.ErrShutdown] if an inbox that ignores its context still has one of
// them. That takes PrimaryTimeout and two seconds at most. Run must not be called while
// another call of it is running. Stop in this order: http.Server.Shutdown returns, Run
// returns, the databases are closed.
func (s *Spool) Run(ctx context.Context) error {
	s.idle.runBegins()
	defer s.idle.runEnds()
	var failback sync.WaitGroup
	failback.Go(func() { s.failbackLoop(ctx) })
	err := s.relay().Run(ctx)
	failback.Wait()
	return err
}

// relay returns the Relay of one Run, from local to primary.
func (s *Spool) relay() *Relay {
	r := NewRelay(s.inbox, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		return s.primary.Handle(ctx, decodeFromLocal(d))
	}))
	r.Concurrency, r.Lease, r.Retry, r.Logger = s.Concurrency, s.Lease, s.Retry, s.Logger
	r.Timeout, r.ShutdownTimeout = forwardTimeouts*s.primaryTimeout(), s.primaryTimeout()
	r.breaker = &s.breaker
	r.keepRunning = true // Handle continues to store in local
	r.Observer = &webhook.Observer{Settled: func(context.Context, webhook.Claim, webhook.Outcome, time.Duration) {
		select {
		case s.forwarded <- struct{}{}:
		default:
		}
	}}
	return r
}

// Volatile reports whether primary or local keeps deliveries in memory only. A
// [webhook.Receiver] logs a warning then.
func (s *Spool) Volatile() bool { return isVolatile(s.primary) || isVolatile(s.local) }

func isVolatile(h webhook.Handler) bool {
	v, ok := h.(interface{ Volatile() bool })
	return ok && v.Volatile()
}

func (s *Spool) warnIdle(stored int) {
	s.logger().Warn("deliveries stay in the local inbox because Spool.Run is not running", "stored", stored)
}

// primaryTimeoutWithin leaves half of the time until the deadline of ctx to local.
func (s *Spool) primaryTimeoutWithin(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(s.primaryTimeout(), time.Until(end)/2)
	}
	return s.primaryTimeout()
}

func (s *Spool) primaryTimeout() time.Duration {
	return orDefault(s.PrimaryTimeout, defaultPrimaryTimeout)
}

func (s *Spool) logger() *slog.Logger { return cmp.Or(s.Logger, slog.Default()) }
