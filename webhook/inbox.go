package webhook

import (
	"context"
	"time"
)

// An Inbox keeps deliveries until they are worked off. Receivers put, workers
// claim and settle; all of it concurrently, and with a database from several
// processes. Package inboxtest states every sentence below as a test: an Inbox
// is what passes it.
//
// A delivery is in one State at a time. Only the oldest unfinished one of a
// (Source, OrderingKey) may be Waiting; younger ones are Blocked by it, and
// settling it brings the next one forward. Deliveries without an ordering key
// are never Blocked.
type Inbox interface {
	// Put stores d under its UID, which must not be empty. Nil means stored. A
	// delivery whose UID, or one of whose DedupKeys within the same Source, is
	// known stores nothing, not even its other dedup keys, and gets a
	// [*DuplicateError]. One that is Dead is made Waiting again by a redelivery,
	// which has another UID and the same sender ID, at most three times: its runs
	// are counted anew and it stands behind those of its ordering key. One that
	// coalesces stays dead while a younger one of its ordering key is unfinished.
	// Where a [Sweeper] has deleted it, the redelivery is stored. With Coalesce
	// set, older deliveries of the ordering key that are not claimed become
	// Superseded, and d is due after Quiet, or at the burst's first arrival plus
	// Max if that is sooner. Put does not keep d's header or dedup keys, nor
	// change d; it may keep d.Body.
	Put(ctx context.Context, d *Delivery) error

	Queue
}

// A Queue is the part of an [Inbox] that a [Worker] needs: it gives out deliveries
// under claims and settles the claims. The sentences on Inbox about states and order
// hold for a Queue too. Its methods are safe for concurrent use, also by several
// processes that share a database.
type Queue interface {
	// Claim takes deliveries that are due, oldest first, each under a lease, and
	// raises Fence, which never falls and is not reset. A claim whose lease ran out
	// may be claimed again by anyone: it is lost. The inbox counts how many claims
	// of a delivery were lost in a row; after two the next is [Claim.Suspect].
	// Attempt counts the runs: Claim raises it, but for a suspect Begin does.
	// Nothing to claim is an empty result, not an error.
	Claim(ctx context.Context, o ClaimOptions) ([]Claim, error)

	// Begin notes that the work on a suspect claim begins: from here on its attempt
	// counts, and if it is lost the next claim has one crash more. It returns the
	// claim with the Header, DedupKeys and Body of its Delivery. Called again for
	// the same claim it counts nothing. [ErrClaimLost] if c is no longer held, and
	// also where what is stored cannot be read: the delivery is then dead.
	Begin(ctx context.Context, c Claim) (Claim, error)

	// Extend makes the lease of c end after lease from now. [ErrClaimLost] if c is
	// no longer held.
	Extend(ctx context.Context, c Claim, lease time.Duration) error

	// Settle ends the claim with an outcome and returns the state that came of it:
	// o.State, but Superseded for a claim that is put back while a newer one of a
	// coalesced burst waits. A claim that was settled before is left as it is, and
	// what came of it then is returned: who did not get the answer asks again.
	// [ErrClaimLost], and nothing changed, if c was neither held nor settled: a
	// claim is told from a later one by its Fence. A claim whose lease ran out is
	// held until it is claimed again, so that work that took too long but nobody
	// began again is not run twice. After a settlement no claim counts as lost and
	// no run as a crash; only a suspect that is put back Uncounted before it began
	// stays what it is.
	Settle(ctx context.Context, c Claim, o Outcome) (State, error)
}

// State is where a delivery stands.
type State string

// The states of a delivery. The last four are final.
const (
	Waiting    State = "waiting"    // may be claimed from its due time on
	Blocked    State = "blocked"    // an older delivery of its ordering key is not finished
	Claimed    State = "claimed"    // under a lease
	Done       State = "done"       // handled
	Dead       State = "dead"       // given up; kept with the reason
	Superseded State = "superseded" // a newer one of a coalesced burst took its place
	Ignored    State = "ignored"    // not handled, by choice
)

// Final reports whether nothing happens to the delivery any more by itself.
func (s State) Final() bool {
	return s == Done || s == Dead || s == Superseded || s == Ignored
}

// ClaimOptions say what to claim.
type ClaimOptions struct {
	N     int           // at most so many; Zero means 1.
	Lease time.Duration // Zero means 30 s.
	Types []string      // Nil means any type; empty and not nil means none.
	// MaxBytes bounds the bodies together. The first is taken whatever its size,
	// and what does not fit is not passed by younger ones. Zero means 8 MiB.
	MaxBytes int64
	// Except are UIDs that are not claimed: what the caller still works on although
	// its claim may have ended. They hold their ordering keys as ever. Nil means
	// none.
	Except []string
	// By says who claims, for people: it is kept with an [Attempt] that fails. Empty
	// is allowed. Stores keep the first 255 bytes.
	By string
}

// A Claim is the right to work on a delivery until Expires, or longer through
// Extend.
type Claim struct {
	Delivery *Delivery // the claimer's own copy, except for Body
	Attempt  int       // 1 for the first run; of a suspect, what Begin will make it
	Last     bool      // set by a Worker: if it fails, the delivery is dead
	// Suspect: the last two claims or more were lost, so that its run may be what
	// ends the process. It has no Header, DedupKeys or Body: call [Queue.Begin],
	// and run nothing beside it.
	Suspect bool
	// Crashes is how many runs that Begin noted were lost in a row, before this one.
	Crashes int
	Reason  string    // of the last outcome; empty before the first
	Fence   int64     // higher for each claim of this delivery
	Expires time.Time // by the inbox's clock
}

// An Outcome is what became of a claim.
type Outcome struct {
	// State is Done, Dead, Ignored, or Waiting to be claimed again.
	State State
	// Reason is why, for people: the error of a failed attempt. Stores keep the
	// first 4 KiB.
	Reason string
	// Delay is how long a Waiting one waits. Zero means not at all.
	Delay time.Duration
	// Uncounted takes the attempt back, if it was counted: the work was not tried
	// in earnest.
	Uncounted bool
	// RetryOutOfOrder lets the next delivery of the ordering key go ahead while
	// this one waits for its retry, at the price of order. Zero means the ordering
	// key waits too.
	RetryOutOfOrder bool
}

// A Notifier is an Inbox that tells at once when there may be something to
// claim. Without it a Worker polls.
type Notifier interface {
	// Changed returns a channel that is closed at the next change from the call
	// on.
	Changed() <-chan struct{}
}

// A Sweeper is an Inbox that forgets what has been finished for longer than it
// keeps it: how long is a setting of the inbox, apart for what is [Dead]. A
// Worker calls it.
type Sweeper interface {
	// Sweep deletes some of the deliveries that are to be forgotten, and dedup
	// keys that are older than the inbox's window: a bounded number of them, and
	// of bytes. It returns how many deliveries it deleted; call it again until
	// that is zero. Unfinished ones are never deleted. The dedup keys of what is
	// deleted stay.
	Sweep(ctx context.Context) (int, error)
}

// A PendingCounter is an Inbox that can tell whether anything is unfinished.
// The local inbox of a Spool, in package spool, must be one.
type PendingCounter interface {
	// Pending counts the deliveries that are Waiting, Blocked or Claimed, also
	// those not due and those whose lease ran out. It may stop counting at most,
	// which is positive. It sees every Put and Settle that returned before the
	// call.
	Pending(ctx context.Context, most int) (int, error)
}

type claimKey struct{}

// ClaimFromContext returns the claim under which a Worker runs the callback:
// attempt and fence for logs and for settling in the callback's own
// transaction.
func ClaimFromContext(ctx context.Context) (Claim, bool) {
	c, ok := ctx.Value(claimKey{}).(Claim)
	return c, ok
}
