package webhook

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Admin is the set of operations that a person, or an admin page, performs on
// stored deliveries. Its methods are safe for concurrent use. A Filter that
// [Filter.Validate] refuses is an error. Package inboxtest states what an Admin promises
// as tests.
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
	//   - They stand behind live deliveries: a replayed one is claimed only when no live
	//     one is due, of the types that the claim asks for. So a live load that never lets
	//     up holds them back; Release makes one live. A live delivery waits for a replayed
	//     one that comes before it in their ordering key.
	//   - It skips a delivery that is not finished, and one that coalesces while a
	//     younger one of its ordering key and type is unfinished.
	//   - If f.Limit is set, only the newest f.Limit finished ones run again.
	//   - If f.UID names one delivery, the error is [ErrNotFound] if there is none,
	//     and [ErrState] if it is skipped.
	//   - It records n, the time and the state before as a [Replay] of each.
	//   - A Note without By and a Filter that selects all are errors.
	Replay(ctx context.Context, f Filter, n Note) (int, error)
	// ReplayEvery is Replay at a rate: of the deliveries that run again, each is due at
	// least every after the one before, and the first at once.
	//
	//   - The times are stored, so all processes keep to them, also after a restart.
	//   - They say when a delivery is due and not when it runs: what became due while no
	//     Worker was there, or behind a live load, runs without a pause.
	//   - Until a replayed delivery is due, the younger deliveries of its ordering key wait,
	//     live ones too.
	//   - Two calls know nothing of each other.
	//   - If every is zero, ReplayEvery is Replay. An every that is negative or longer than
	//     an hour is an error.
	ReplayEvery(ctx context.Context, f Filter, n Note, every time.Duration) (int, error)
	// Release makes a delivery due now, and live if it is a replay:
	//
	//   - One that waits for its retry does not wait longer. If it let younger ones of its
	//     ordering key run first, it is the next of its key.
	//   - One that is claimed, by a worker that does not come back, can be claimed
	//     again. The claim counts as lost, and that worker can no longer settle it.
	//   - One that is blocked although its ordering key has no other, which only a
	//     fault can cause, becomes the next of its key.
	//
	// The error is [ErrNotFound] if there is no such delivery, and [ErrState] if it is
	// finished, or blocked by another and waits for no retry.
	Release(ctx context.Context, uid string) error
	// ReleaseKey makes the next delivery of an ordering key of a Source due now, and live if
	// it is a replay. The cost does not grow with the number of deliveries that the key
	// blocks:
	//
	//   - It is for an ordering key that waits as a whole, such as that of a [Postpone]. The
	//     others follow in their order.
	//   - If the next one is due already, it keeps its place among other ordering keys.
	//   - If it is claimed, the claim is left as it is, and the error is [ErrState]. Its
	//     callback may still postpone it, because of what was true before. Call ReleaseKey
	//     again then.
	//   - If the ordering key has no unfinished delivery, the error is [ErrNotFound]. An
	//     empty key is an error.
	ReleaseKey(ctx context.Context, source, key string) error
	// Pause stops the claiming of deliveries of a type, or of all if typ is empty, by all
	// processes, until Resume:
	//
	//   - A Claim that begins after Pause has returned claims none of them. Claims that are
	//     held can be extended and settled. One that is lost is not claimed again.
	//   - They are stored, superseded, replayed and so on as before. One that is the next
	//     of its ordering key holds back the others of that key, whatever their types.
	//   - The type need not have deliveries. Pauses of a type and of all are independent: a
	//     type is claimed when neither is in force.
	//   - Stats has the pause with n and the time. Pause and Resume are logged.
	//
	// The error is [ErrState] if it is paused already, and the earlier Note is kept. A Note
	// without By is an error.
	Pause(ctx context.Context, typ string, n Note) error
	// Resume ends a Pause with the same typ. The error is [ErrState] if there is none. A
	// Note without By is an error.
	Resume(ctx context.Context, typ string, n Note) error
	// Bury gives up an unfinished delivery that is not claimed: it is Dead, with n in its
	// Reason, and the next of its ordering key takes its place. It can be replayed, and a
	// redelivery makes it run again as any dead one. The error is [ErrNotFound] if there is
	// no such delivery, and [ErrState] if it is claimed or finished. A Note without By is an
	// error.
	Bury(ctx context.Context, uid string, n Note) error
	// GiveUp ends the unfinished deliveries that match f and are not claimed, and returns
	// their number. Their state becomes as, which is Dead or Ignored, with n in their Reason:
	//
	//   - It is Bury for many. A dead one stays as long as other dead ones, and a redelivery
	//     makes it run again. An ignored one is kept as short as what is done. Each can be
	//     replayed.
	//   - It works in parts. While it works, others of an ordering key may be claimed, and an
	//     error does not undo the parts before. Call it again then.
	//   - If f has a Source and an OrderingKey, the cost does not grow with what other
	//     ordering keys have. Otherwise it looks at each stored delivery.
	//   - If f.Limit is set, it ends no more than that; which ones is not defined.
	//   - If f.UID names one delivery, the error is [ErrNotFound] if there is none, and
	//     [ErrState] if it is claimed or finished.
	//   - The number of each type and n are logged.
	//   - A Note without By, a Filter that selects all, and another state are errors.
	GiveUp(ctx context.Context, f Filter, as State, n Note) (int, error)
	// Discard deletes the finished deliveries that match f, as a [Sweeper] does when their
	// time has come, and returns their number:
	//
	//   - It skips a delivery that is not finished. Use Bury or GiveUp before.
	//   - The dedup keys of deleted deliveries remain. So duplicates are still refused, but
	//     the redelivery of a dead one is stored as new.
	//   - If f.Limit is set, only the newest f.Limit finished ones are deleted.
	//   - If f.UID names one delivery, the error is [ErrNotFound] if there is none, and
	//     [ErrState] if it is not finished.
	//   - The number of each type and n are logged. Nothing else remains of them.
	//   - A Note without By and a Filter that selects all are errors.
	Discard(ctx context.Context, f Filter, n Note) (int, error)
	// Stats counts what is stored. It reads every row of an index, which takes
	// seconds for millions of deliveries.
	Stats(ctx context.Context) (Stats, error)
	// Overview is Stats at a cost that does not grow with the number of deliveries: it reads
	// about limit rows for each state. A limit below 1 is an error.
	Overview(ctx context.Context, limit int) (Overview, error)
	// Ping fails when Put would fail.
	Ping(ctx context.Context) error
}

// The errors of [Admin]. Test with [errors.Is].
var (
	// ErrNotFound: there is no such delivery.
	ErrNotFound = errors.New("webhook: no such delivery")
	// ErrState: the state of the delivery, or of the pause, does not allow the operation.
	ErrState = errors.New("webhook: not possible in this state")
)

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
	Replayed bool      // this run is a replay and stands behind live ones; see Admin.Replay
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

// A Pause says that no delivery of a type is claimed; see [Admin.Pause].
type Pause struct {
	Type string // empty: all types
	Note
	At time.Time
	// Blocked is the number of deliveries, of any type, that are blocked by one of the
	// type: another one comes first in their ordering keys, and that has the type.
	Blocked int
}

// Stats are numbers of stored deliveries.
type Stats struct {
	Count map[State]int
	Types map[string]map[State]int
	// Oldest is, by type, the longest time for which a delivery could have been
	// claimed: since it was due, or since the lease of its claim ran out. It counts while
	// the type is paused too. Types without such a delivery are not in it.
	Oldest map[string]time.Duration
	// Unhandled are the types with deliveries that could have been claimed for a
	// minute and that no Claim of this inbox asks for, sorted.
	Unhandled []string
	// Paused are the pauses in force, sorted by type.
	Paused []Pause
}

// An Overview is what [Stats] has, with numbers that were counted up to a limit.
type Overview struct {
	// Count is the number of deliveries by state. It is exact for Waiting, Blocked, Claimed
	// and Dead up to the limit. Done, Superseded and Ignored share one limit: it is exact for
	// them if they are no more than that together. States without deliveries are not in it.
	Count map[State]Count
	// Oldest and Unhandled are those of Stats.
	Oldest    map[string]time.Duration
	Unhandled []string
	// Paused are the pauses in force, sorted by type. Their Blocked is not counted, and zero.
	Paused []Pause
}

// A Count is a number of deliveries that was counted up to a limit.
type Count struct {
	N    int  // no more than the limit
	More bool // the limit was reached: there may be more
}
