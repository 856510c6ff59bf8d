package sqlinbox

import (
	"context"
	"iter"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Admin is what a person, or a page made for one, does with stored deliveries.
type Admin interface {
	// All returns the deliveries that match, newest first. No connection is held
	// while the caller works on one; deliveries that come or change meanwhile may
	// be seen or not. It ends after the first error.
	All(ctx context.Context, f Filter) iter.Seq2[Record, error]
	// Get returns one delivery with everything. [ErrNotFound].
	Get(ctx context.Context, uid string) (Record, error)
	// Replay runs finished deliveries that match again, oldest first, each at the
	// end of its ordering key and with its attempts counted anew, and returns how
	// many. Duplicates do not stop it. Unfinished ones are left alone, and so is
	// one that coalesces while a younger one of its ordering key is unfinished.
	// Name one by Filter.UID: [ErrNotFound], and [ErrState] if it is left alone.
	// An empty Filter is an error.
	Replay(ctx context.Context, f Filter, n Note) (int, error)
	// Release makes one due now that waits for its retry, or is claimed by a
	// worker that does not come back: that worker can no longer settle it, and the
	// claim counts as lost. One that
	// is behind nothing, which only a fault can bring about, is brought forward.
	// [ErrNotFound]; [ErrState] if it is finished or behind another.
	Release(ctx context.Context, uid string) error
	// Stats counts what is stored. It reads every row of an index: seconds, for
	// millions.
	Stats(ctx context.Context) (Stats, error)
	// Ping fails when Put would fail.
	Ping(ctx context.Context) error
}

// A Filter chooses deliveries: those that meet all that is set. Zero means all.
type Filter struct {
	UID         string
	Source      string
	Type        string
	OrderingKey string
	ID          string          // the sender's
	States      []webhook.State // any of them
	Text        string          // part of the reason, without regard to ASCII case
	From        time.Time       // received then or later
	To          time.Time       // received before
	Before      int64           // with a Seq below this one: the last of the page before
	Limit       int             // at most so many
	// Bodies loads Header, DedupKeys and Body of the deliveries. Zero means that
	// they are nil.
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
	// Err tells why Header, DedupKeys and Body could not be read. Nil where they
	// were not asked for.
	Err error
}

// A Note says who does something and why. By is required.
type Note struct {
	By  string
	Why string
}

// A Replay is the record of one.
type Replay struct {
	Note
	At  time.Time
	Was webhook.State // before
}

// Stats are the deliveries by number.
type Stats struct {
	Count map[webhook.State]int
	Types map[string]map[webhook.State]int
	// Oldest is how long the one that waits longest could have been claimed, by
	// type: since it was due, or since the lease of its claim ran out.
	Oldest map[string]time.Duration
	// Unhandled are the types with deliveries that could have been claimed for a
	// minute and that no Claim of this Inbox asks for, sorted.
	Unhandled []string
}
