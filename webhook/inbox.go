package webhook

import (
	"context"
	"time"
)

// An Inbox stores deliveries until they are handled. Receivers call Put, Workers call the
// methods of [Queue]. All methods are safe for concurrent use, also by several processes
// that share a database. Package inboxtest tests every sentence of this contract: a type
// that passes its tests is an Inbox.
//
// A delivery has one State at a time. Of the unfinished deliveries with equal (Source,
// OrderingKey), only one is Waiting or Claimed, and the others are Blocked. It is the
// oldest one, with one exception: while that waits for a retry with
// [Outcome.RetryOutOfOrder], it may be Blocked and a younger one Waiting or Claimed. When
// the one that is not Blocked is finished, another becomes Waiting. Deliveries without an
// ordering key are never Blocked.
type Inbox interface {
	// Put stores d under its UID, which must not be empty. A nil error means that d is
	// stored.
	//
	//   - If the UID of d is already stored, or one of its DedupKeys within its Source, Put
	//     stores nothing, not even the other dedup keys, and returns a [*DuplicateError].
	//   - If that stored delivery is Dead, and d is a redelivery of it, with another UID and
	//     the same sender ID, the stored delivery becomes Waiting again. This happens at most
	//     three times. Its attempts are counted from zero, and it is placed after the others
	//     of its ordering key. If it coalesces, it remains Dead while a younger delivery of
	//     its ordering key and type is unfinished.
	//   - If a [Sweeper] has deleted the dead delivery, its redelivery is stored as new.
	//   - If d has Coalesce, the older deliveries of its burst that are not claimed become
	//     Superseded: those of its Source, ordering key and type. d becomes due after Quiet,
	//     or Max after the first delivery of the burst arrived if that is sooner. Older
	//     deliveries of other types come before it.
	//   - If d has NotBefore, it is not due earlier. If NotBefore is before 1970 or after the
	//     year 294246, Put stores nothing and returns a permanent error.
	//   - Put does not change d. When it has returned it uses neither the Header nor the
	//     DedupKeys of d. It may keep d.Body.
	Put(ctx context.Context, d *Delivery) error

	Queue
}

// A Queue is the part of an [Inbox] that a [Worker] needs. It gives out claims of
// deliveries and settles them. What Inbox says about states and order applies to a Queue
// too. All methods are safe for concurrent use, also by several processes that share a
// database.
type Queue interface {
	// Claim claims deliveries that are due, oldest first. If there are none, the result is
	// empty and the error nil. In an inbox that is an [Admin], live deliveries come before
	// replayed ones, and those of a paused type are not claimed.
	//
	//   - Each claim has a lease. When it has expired, any caller may claim the delivery
	//     again. The earlier claim is then lost.
	//   - Each claim of a delivery has a higher Fence than the one before. Fence is never
	//     reset.
	//   - Claim adds one to Attempt, except for a suspect: then Begin does.
	//   - The inbox counts how many claims of a delivery were lost in a row. After two, the
	//     next claim is [Claim.Suspect].
	//   - A Queue that is not an Inbox may be unable to leave a type to others. It refuses all
	//     Types that are not nil with an error that wraps [errors.ErrUnsupported].
	Claim(ctx context.Context, o ClaimOptions) ([]Claim, error)

	// Begin records that the run of a suspect claim begins. From then on its attempt
	// counts, and if the claim is lost, the next one has one more in Crashes. Begin returns
	// the claim with all of its Delivery. A second call for the
	// same claim counts nothing. The error is [ErrClaimLost] if c is no longer held, and
	// if the stored delivery cannot be read: that delivery is then Dead.
	Begin(ctx context.Context, c Claim) (Claim, error)

	// Extend sets the end of the lease of c to lease from now. The error is [ErrClaimLost]
	// if c is no longer held.
	Extend(ctx context.Context, c Claim, lease time.Duration) error

	// Settle ends the claim with an outcome and returns the resulting state of the
	// delivery.
	//
	//   - The state is o.State, with one exception: a delivery that is put back while a newer
	//     one of its burst waits becomes Superseded.
	//   - If the claim was settled before, Settle changes nothing and returns the state that
	//     resulted then. So a caller that got no answer can call Settle again.
	//   - If the claim was neither held nor settled, Settle changes nothing and returns
	//     [ErrClaimLost]. Fence identifies the claim among later claims of the same delivery.
	//   - A claim whose lease has expired is held until the delivery is claimed again. So
	//     work that took too long does not run twice if nobody has begun it again.
	//   - After Settle no earlier claim counts as lost and no earlier run as a crash. Only a
	//     suspect that is put back Uncounted before Begin remains a suspect.
	Settle(ctx context.Context, c Claim, o Outcome) (State, error)
}

// A State is the state of a delivery.
type State string

// The states of a delivery. The last four are final.
const (
	Waiting    State = "waiting"    // can be claimed when it is due
	Blocked    State = "blocked"    // another delivery of its ordering key comes first
	Claimed    State = "claimed"    // under a lease
	Done       State = "done"       // handled
	Dead       State = "dead"       // given up; stored with the reason
	Superseded State = "superseded" // replaced by a newer delivery of its burst
	Ignored    State = "ignored"    // deliberately not handled
)

// Final reports whether the state is Done, Dead, Superseded or Ignored. Such a state does
// not change by itself.
func (s State) Final() bool {
	return s == Done || s == Dead || s == Superseded || s == Ignored
}

// ClaimOptions select what Claim claims.
type ClaimOptions struct {
	N     int           // maximum number of claims; zero means 1
	Lease time.Duration // zero means 30 s
	Types []string      // if nil, all types; if empty and not nil, none
	// MaxBytes is the maximum total size of the bodies. The first delivery is claimed
	// whatever its size. A delivery that does not fit is not claimed, and neither are the
	// ones after it. Zero means 8 MiB.
	MaxBytes int64
	// Except has UIDs of deliveries that are not claimed, because the caller still works on
	// them although their claims may have expired. They block their ordering keys as usual.
	// Nil means none.
	Except []string
	// By says who claims, for people: it is kept with an [Attempt] that fails. Empty
	// is allowed. An inbox keeps its first 255 bytes.
	By string
}

// A Claim is the right to work on a delivery until Expires, or longer after Extend.
type Claim struct {
	Delivery *Delivery // the claimer's own copy; only Body may be shared
	Attempt  int       // 1 for the first run; for a suspect, the value after Begin
	Last     bool      // set by a Worker: if this attempt fails, the delivery is dead
	// Suspect is true if at least the last two claims were lost: the run of this delivery
	// may be what ends the process. The Delivery of a suspect has no Header, DedupKeys,
	// Body, NotBefore, Malformed or Unsigned. Call [Queue.Begin] to get them, and run nothing
	// else at the same time.
	Suspect bool
	// Crashes is the number of runs that Begin recorded and that were lost, in a row before
	// this one.
	Crashes int
	Reason  string    // of the last outcome; empty before the first
	Fence   int64     // higher for each claim of this delivery
	Expires time.Time // by the inbox's clock
}

// An Outcome is the result of a claim.
type Outcome struct {
	// State is Done, Dead or Ignored, or Waiting to try the delivery again.
	State State
	// Reason says why, for people. For a failed attempt it is the text of the error. For a
	// delivery that is Done it is empty, unless what the Handler put is a duplicate of a dead
	// delivery, which it names; see [DeadDuplicate]. An inbox stores its first 4 KiB.
	Reason string
	// Delay is how long a Waiting delivery waits before it is due. Zero means that it is
	// due at once.
	Delay time.Duration
	// Uncounted means that this run does not count as an attempt. If Claim has counted it,
	// Settle takes that back.
	Uncounted bool
	// RetryOutOfOrder lets the next delivery of the ordering key run while this one waits
	// for its retry. If false, the ordering key waits too, so that order is kept.
	RetryOutOfOrder bool
}

// A Notifier is an Inbox that signals a change that may allow a claim, so that a Worker
// need not wait for its PollInterval. A Worker polls a Notifier too, unless that is a
// [NextDuer]: that a retry is due, that a lease has expired, and what other processes store
// are not signalled.
type Notifier interface {
	// Changed returns a channel that is closed at the first change after the call.
	Changed() <-chan struct{}
}

// A NextDuer is an Inbox that knows when it has to be asked again, so that a Worker need
// not poll it: all that may allow a claim is signalled by Changed, or is the end of a time
// that NextDue returns. A Worker then claims once a minute while nothing happens.
//
// An inbox that another process can change must not be a NextDuer: what that process
// stores is not signalled, and to find out in time a Worker must poll. So [MemInbox] is
// one, and the inboxes of package sqlinbox are not.
type NextDuer interface {
	Notifier
	// NextDue returns the time until a Claim with these options can return a delivery: until
	// the first that waits is due, or until the first lease expires. It looks at Types and
	// Except. The time is zero or negative if there is such a delivery now, and the largest
	// Duration if there is none.
	NextDue(ctx context.Context, o ClaimOptions) (time.Duration, error)
}

// A Sweeper is an Inbox that deletes old finished deliveries. How long they are kept is a
// setting of the inbox, with a separate one for [Dead] deliveries. A Worker calls Sweep.
type Sweeper interface {
	// Sweep deletes finished deliveries that are no longer kept, and dedup keys that are
	// older than the inbox's window. It deletes a bounded number of them and of bytes, and
	// returns the number of deleted deliveries. Call it again until that is zero. It never
	// deletes unfinished deliveries. The dedup keys of deleted deliveries remain.
	Sweep(ctx context.Context) (int, error)
}

// A PendingCounter is an Inbox that can count its unfinished deliveries. The local inbox of
// a Spool, in package spool, must be one.
type PendingCounter interface {
	// Pending returns the number of deliveries that are Waiting, Blocked or Claimed. It
	// includes those that are not due and those whose lease has expired. It may stop
	// counting at limit, which must be positive. It includes the effect of every Put and
	// Settle that returned before the call.
	Pending(ctx context.Context, limit int) (int, error)
}

type claimKey struct{}

// ClaimFromContext returns the claim under which a Worker runs the callback. Use its
// Attempt and Fence in logs, and the claim to settle it in a transaction of the callback.
func ClaimFromContext(ctx context.Context) (Claim, bool) {
	c, ok := ctx.Value(claimKey{}).(Claim)
	return c, ok
}
