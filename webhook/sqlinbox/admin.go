package sqlinbox

import (
	"context"
	"iter"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Admin is the set of operations that a person, or an admin page, performs on
// stored deliveries.
type Admin interface {
	// All returns the deliveries that match f, newest first. It holds no connection
	// while the caller handles one. It may or may not return deliveries that are
	// stored or changed in the meantime. It ends after the first error.
	All(ctx context.Context, f Filter) iter.Seq2[Record, error]
	// Get returns one delivery with its contents and its replays. The error is
	// [ErrNotFound] if there is none with that UID.
	Get(ctx context.Context, uid string) (Record, error)
	// Replay makes the finished deliveries that match f run again and returns how
	// many there were:
	//
	//   - They run oldest first, each after the unfinished deliveries of its ordering
	//     key, and their attempts are counted from zero.
	//   - Deduplication does not stop them.
	//   - It skips a delivery that is not finished, and one that coalesces while a
	//     younger one of its ordering key is unfinished.
	//   - If f.UID names one delivery, the error is [ErrNotFound] if there is none,
	//     and [ErrState] if it is skipped.
	//   - An empty Filter is an error.
	Replay(ctx context.Context, f Filter, n Note) (int, error)
	// Release makes a delivery due now. It is for one that waits for its retry, and
	// for one whose worker does not come back: that worker can no longer settle the
	// claim, which counts as lost. A delivery that is blocked although its ordering
	// key has no other, which only a fault can cause, becomes the next of its key.
	// The error is [ErrNotFound] if there is no such delivery, and [ErrState] if it is
	// finished or blocked by another.
	Release(ctx context.Context, uid string) error
	// Stats counts what is stored. It reads every row of an index, which takes
	// seconds for millions of deliveries.
	Stats(ctx context.Context) (Stats, error)
	// Ping fails when Put would fail.
	Ping(ctx context.Context) error
}

// A Filter selects the deliveries that match all of its fields that are set. The
// zero Filter selects all.
type Filter struct {
	UID         string
	Source      string
	Type        string
	OrderingKey string
	ID          string          // the sender's
	States      []webhook.State // one of these
	Text        string          // part of the reason, without regard to ASCII case
	From        time.Time       // received then or later
	To          time.Time       // received before
	Before      int64           // with a lower Seq: that of the last Record of the page before
	Limit       int             // the largest number to return; zero means no limit
	// Bodies tells to load Header, DedupKeys and Body, which are nil otherwise.
	Bodies bool
}

// A Record is a delivery as stored.
type Record struct {
	Delivery *webhook.Delivery
	Seq      int64 // order of acknowledgement; a later run has a new one
	State    webhook.State
	Attempt  int   // runs so far
	Fence    int64 // of the last claim
	Due      time.Time
	Expires  time.Time // end of the lease; zero unless claimed
	Ended    time.Time // zero unless final
	Reason   string    // of the last outcome
	Revived  int       // by redeliveries after it was dead
	Size     int64     // of the body in bytes
	Replays  []Replay  // by Get only
	// Err is why Header, DedupKeys and Body could not be read. It is nil if they
	// could, or if Filter.Bodies was not set.
	Err error
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
	Was webhook.State // the state before
}

// Stats are numbers of stored deliveries.
type Stats struct {
	Count map[webhook.State]int
	Types map[string]map[webhook.State]int
	// Oldest is, by type, the longest time for which a delivery could have been
	// claimed: since it was due, or since the lease of its claim ran out.
	Oldest map[string]time.Duration
	// Unhandled are the types with deliveries that could have been claimed for a
	// minute and that no Claim of this Inbox asks for, sorted.
	Unhandled []string
}
