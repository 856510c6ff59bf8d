package sqlinbox

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// An Inbox is a [webhook.Inbox] in a database. Make it with [New], and call
// [Inbox.Migrate] or [Inbox.Check] when the program starts. Set the fields
// before use. It is safe for concurrent use, and several of them, in one
// process or many, may share a database.
type Inbox struct {
	// Window is how long a dedup key is remembered. Zero means 30 days.
	Window time.Duration
	// Retention is how long finished deliveries other than dead letters are kept. Set
	// the same in all Inboxes of a database. Zero means 7 days; if negative, they are
	// never deleted.
	Retention time.Duration
	// DeadRetention is how long dead letters are kept. Before they are deleted their
	// number and types are logged as a warning. Zero means 90 days; if negative, they
	// are never deleted.
	DeadRetention time.Duration
	// Logger gets the warnings that no caller gets as an error: of dead letters that
	// are deleted, and of ordering keys that were repaired. If nil, slog.Default.
	Logger *slog.Logger
	// Observer, if not nil, receives events for metrics.
	Observer *Observer
	// Wake, if not nil, is a signal of the program's own that another process may have
	// stored something, such as a notification of PostgreSQL. A Worker on this Inbox then
	// claims at once, and does not wait for its PollInterval. See "Several machines" of the
	// package. The Inbox receives from the first Changed until Close. It passes on at most
	// a hundred signals a second, and one of those beyond. The program may close Wake, which
	// means that no signal follows, or leave it open. Let it have room for one signal, and
	// drop a signal that finds no room: a lost one costs one PollInterval.
	Wake <-chan struct{}
	// RequireStandby refuses, with [ErrNotDurable], a PostgreSQL server that commits on one
	// machine only: one whose synchronous_standby_names is empty, or whose
	// synchronous_commit is neither on nor remote_apply. [Inbox.Check] and [Inbox.Ping] look
	// at both, and each Put at the first. What Put acknowledges, duplicates too, is then
	// committed on two servers. SQLite is refused. See "Several machines" of the package for
	// what it does not promise. Zero means that the server decides.
	RequireStandby bool
	// TrustDurability names who says that commits survive a power loss although fsync or
	// full_page_writes of the server is off or unknown, such as "Neon, fsync is off by
	// design". For managed databases that keep commits outside the server. A warning with
	// it is logged once. Other settings are checked all the same, and so are those of
	// SQLite. Empty means nobody: such a server is refused with [ErrNotDurable].
	TrustDurability string

	*tables
	engine       engine
	repairs      repairs                // of keys that are stuck
	warnedAt     atomic.Int64           // when dead letters were last warned of, in seconds
	swept        atomic.Pointer[[]byte] // the dedup key where the last look at them ended
	supersededAt atomic.Int64           // when a Claim last looked for superseded claims, in microseconds

	mu      sync.Mutex
	changed chan struct{}
	asked   map[string]bool // types that claims asked for
	anyType bool            // a claim asked for all

	trustLogged sync.Once
	waker       waker
}

var (
	_ webhook.Inbox    = (*Inbox)(nil)
	_ webhook.Notifier = (*Inbox)(nil)
	_ webhook.Sweeper  = (*Inbox)(nil)
	_ webhook.Admin    = (*Inbox)(nil)
	_ webhook.Cursors  = (*Inbox)(nil)
	_ webhook.Knower   = (*Inbox)(nil)
)

// New returns an Inbox that stores deliveries in db. It does not use db before its
// first call. The caller closes db after the Inbox. New panics on a nil argument.
func New(db *sql.DB, d *Dialect) *Inbox {
	if db == nil || d == nil {
		panic("sqlinbox: New needs a database and a dialect")
	}
	in := &Inbox{tables: &tables{db: db, dialect: d}, asked: make(map[string]bool)}
	in.engine = d.newEngine(in.tables, in)
	in.locks = in.engine
	return in
}

// Dialect returns the dialect that the Inbox was made with.
func (in *Inbox) Dialect() *Dialect { return in.dialect }

// DB returns the database that the Inbox was made with, for reading tables beside those of
// the Inbox. To write to them use [Inbox.Write].
func (in *Inbox) DB() *sql.DB { return in.db }

// Close waits for the Puts and settlements under way, and returns to db the connection
// that the Inbox keeps on SQLite. Later writes fail with [ErrClosed], and so do Puts that
// wait for an ordering key that another transaction holds. If Close is not called,
// nothing stored is lost, but SQLite leaves its log file for the next start to read.
func (in *Inbox) Close() error {
	in.waker.stop()
	in.engine.close()
	return nil
}

// Changed implements [webhook.Notifier] for changes made through this Inbox, and for those
// that the program signals by Wake. Others are seen by polling.
func (in *Inbox) Changed() <-chan struct{} {
	in.waker.start(in.Wake, in.notify)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.changed == nil {
		in.changed = make(chan struct{})
	}
	return in.changed
}

func (in *Inbox) notify() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.changed != nil {
		close(in.changed)
		in.changed = nil
	}
}

// Check verifies the version of the schema and the settings that durability depends
// on, on the connection that writes. Its errors are [ErrNotMigrated],
// [ErrNewerSchema], [ErrNotDurable], [ErrConnections], or the database's own. The
// first use of the Inbox verifies the same; call Check when the program starts to
// fail early. Check also repairs ordering keys that are stuck; see
// [Observer.Repaired].
func (in *Inbox) Check(ctx context.Context) error {
	if err := in.engine.check(ctx); err != nil {
		return err
	}
	return in.repair(ctx, checkPages)
}

// Ping checks the version of the schema and the settings, as [Inbox.Check] does, and
// commits a small change. So it notices a read-only database, a dead server, and a disk
// without any room. It repairs no ordering keys. A Put may fail although Ping succeeds:
// its body may need more room, and its ordering key may be locked. On PostgreSQL, Ping
// does not raise synchronous_commit, so it need not wait for the disk. With RequireStandby
// it waits for the standby.
func (in *Inbox) Ping(ctx context.Context) error {
	if err := in.engine.check(ctx); err != nil {
		return err
	}
	return in.engine.tx(ctx, func(ctx context.Context, s session) error {
		_, err := in.exec(ctx, s, "ping", args{})
		return err
	})
}

// logger returns Logger, or slog.Default if it is nil.
func (in *Inbox) logger() *slog.Logger {
	if in.Logger == nil {
		return slog.Default()
	}
	return in.Logger
}
