package webhook

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Admin is the set of operations that a person, or an admin page, performs on
// stored deliveries. Its methods are safe for concurrent use. Package inboxtest
// states what it promises as tests.
type Admin interface {
	// All returns the deliveries that match f, newest first: Seq decreases. It
	// holds no lock and no connection while the caller handles a Record. It may or
	// may not return deliveries that are stored or changed in the meantime. It ends
	// after the first error.
	All(ctx context.Context, f Filter) iter.Seq2[Record, error]
	// Get returns one delivery with its contents, its replays and its failed
	// attempts. The error is [ErrNotFound] if there is none with that UID.
	Get(ctx context.Context, uid string) (Record, error)
	// Replay makes the finished deliveries that match f run again and returns their
	// number:
	//
	//   - They run oldest first, each after the unfinished deliveries of its ordering
	//     key, and their attempts are counted from zero.
	//   - Deduplication does not stop them.
	//   - It skips a delivery that is not finished, and one that coalesces while a
	//     younger one of its ordering key and type is unfinished.
	//   - If f.Limit is set, only the newest f.Limit finished ones run again.
	//   - If f.UID names one delivery, the error is [ErrNotFound] if there is none,
	//     and [ErrState] if it is skipped.
	//   - It records n, the time and the state before as a [Replay] of each.
	//   - A Note without By and a Filter that selects all are errors.
	Replay(ctx context.Context, f Filter, n Note) (int, error)
	// Release makes a delivery due now:
	//
	//   - One that waits for its retry does not wait longer.
	//   - One that is claimed, by a worker that does not come back, can be claimed
	//     again. The claim counts as lost, and that worker can no longer settle it.
	//   - One that is blocked although its ordering key has no other, which only a
	//     fault can cause, becomes the next of its key.
	//
	// The error is [ErrNotFound] if there is no such delivery, and [ErrState] if it is
	// finished or blocked by another.
	Release(ctx context.Context, uid string) error
	// Stats counts what is stored. It reads every row of an index, which takes
	// seconds for millions of deliveries.
	Stats(ctx context.Context) (Stats, error)
	// Ping fails when Put would fail.
	Ping(ctx context.Context) error
}

// The errors of [Admin]. Test with [errors.Is].
var (
	// ErrNotFound: there is no such delivery.
	ErrNotFound = errors.New("webhook: no such delivery")
	// ErrState: the state of the delivery does not allow the operation.
	ErrState = errors.New("webhook: not possible in this state")
)

// A Filter selects the deliveries that match all of its fields that are set. The
// zero Filter selects all.
type Filter struct {
	UID         string
	Source      string
	Type        string
	OrderingKey string
	ID          string    // the sender's
	States      []State   // one of these
	Text        string    // part of the reason, without regard to ASCII case
	From        time.Time // received then or later
	To          time.Time // received before
	Before      int64     // with a lower Seq than this; for the next page, that of the last Record
	Limit       int       // the largest number to return; zero means no limit
	// Bodies loads Header, DedupKeys, Body, NotBefore and Malformed, which are zero
	// otherwise.
	Bodies bool
}

// A Record is a delivery as stored.
type Record struct {
	Delivery *Delivery // the caller's own copy, except for Body
	Seq      int64     // order of acknowledgement; a later run has a new one
	State    State
	Attempt  int   // runs so far
	Fence    int64 // of the last claim
	Due      time.Time
	Expires  time.Time // end of the lease; zero unless claimed
	Ended    time.Time // zero unless final
	Reason   string    // of the last outcome
	Revived  int       // by redeliveries after it was dead
	Size     int64     // of the body in bytes
	Replays  []Replay  // by Get only, oldest first
	Attempts []Attempt // by Get only, oldest first
	// Err is why Header, DedupKeys and Body could not be read. It is nil if they
	// could, or if Filter.Bodies was not set.
	Err error
}

// An Attempt is a run of a delivery that failed, or whose claim was lost. A run that
// ends Done or Ignored leaves none, and neither does one that is not counted, by
// [Outcome.Uncounted] or because a suspect did not begin. An inbox keeps a bounded
// number of them for each delivery, at least the newest ten, and deletes them with
// the delivery.
type Attempt struct {
	Number int           // the Attempt of its Claim; a replay counts from 1 again
	At     time.Time     // when it was claimed
	Took   time.Duration // until it was settled, or the loss was noticed
	State  State         // what came of it: Waiting to run again, Dead or Superseded
	Lost   bool          // its lease ran out and it was claimed again, or it was released
	Reason string        // of its outcome; empty if it was lost
	By     string        // who claimed it: ClaimOptions.By
}

// A Note records who did something and why. By is required.
type Note struct {
	By  string
	Why string
}

// A Replay records that a delivery was replayed.
type Replay struct {
	Note
	At  time.Time
	Was State // the state before
}

// Stats are numbers of stored deliveries.
type Stats struct {
	Count map[State]int
	Types map[string]map[State]int
	// Oldest is, by type, the longest time for which a delivery could have been
	// claimed: since it was due, or since the lease of its claim ran out. Types
	// without such a delivery are not in it.
	Oldest map[string]time.Duration
	// Unhandled are the types with deliveries that could have been claimed for a
	// minute and that no Claim of this inbox asks for, sorted.
	Unhandled []string
}
