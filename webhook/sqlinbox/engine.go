package sqlinbox

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/hookhouse/hookhouse/webhook"
)

// An engine runs the statements of an inbox the way its database needs. It decides
// on which connection they run, which of them share a transaction, and what is tried
// again. SQLite and PostgreSQL have one each; see sqlite.go and postgres.go.
//
// On PostgreSQL, tx and stmt call their func again after a conflict. On SQLite they call
// it again after another job has failed the transaction that they share. So the func
// must not rely on what an earlier call has set.
type engine interface {
	keyLocks

	// prepare adds the arguments of the engine's statements to an entry.
	prepare(e *entry) error
	// put stores an entry and returns when it is committed, with the UIDs of the older
	// deliveries of a burst that this ended.
	put(ctx context.Context, e *entry) (superseded []string, err error)
	// storeTx stores the delivery of j in the transaction of s. If it is a duplicate,
	// storeTx sets the result of j instead. It waits for the transaction that has locked
	// the ordering key.
	storeTx(ctx context.Context, s session, j *job) error

	// tx runs f in a transaction and returns when it is committed.
	tx(ctx context.Context, f func(ctx context.Context, s session) error) error
	// stmt runs f, whose statements are each whole by themselves, with as little
	// around them as the database allows.
	stmt(ctx context.Context, f func(ctx context.Context, s session) error) error
	// begin begins a transaction of the program that may write. The caller must call
	// release after its end, or abandon.
	begin(ctx context.Context) (*programTx, error)
	// durable makes sure that what tx commits survives a power loss.
	durable(ctx context.Context, tx *sql.Tx) error
	// replicated returns an error if a commit that has succeeded may lack the standby that
	// the inbox requires, because ctx has ended.
	replicated(ctx context.Context) error
	// txError explains an error that a func of the program returned from inside the
	// transaction of a method.
	txError(method string, err error) error

	// settleDone settles a claim as done together with others, and reports whether
	// it did. If not, the claim is to be settled by tx. On SQLite that is always so: there
	// all that tx runs shares a transaction.
	settleDone(ctx context.Context, c webhook.Claim) (settled bool, err error)
	// replay runs the deliveries of a batch again for r, and counts them there.
	replay(ctx context.Context, r *replay, uids []string) error

	// check checks the settings and the schema where the inbox writes.
	check(ctx context.Context) error
	// checkTx checks a caller's transaction: its connection may be set up in another
	// way than those of the inbox, and its isolation is the caller's choice. It asks
	// for no other connection, since the caller may have the last one.
	checkTx(ctx context.Context, tx *sql.Tx) error
	// close waits for what is under way. Whatever is asked later fails with
	// ErrClosed.
	close()
}

// keyLocks keep other transactions from deciding about an ordering key.
type keyLocks interface {
	// lock locks k until the end of the transaction, and reports whether k has a head,
	// which is its delivery that is waiting or claimed. SQLite has one writer and so
	// nothing to lock: there lock does not look, and hasHead is true.
	lock(ctx context.Context, s session, k orderKey, m lockMode) (hasHead bool, err error)
}

// A lockMode is how a transaction gets the keys that it decides about.
type lockMode struct {
	waits   bool   // for the transaction that has locked one; otherwise the error is errLeftOut
	timeout string // of each wait, as the database reads it; empty: the session's own
}

// A host is an Inbox as its engine sees it.
type host interface {
	window() int64
	logger() *slog.Logger
	observer() *Observer
	notify()
	// requiresStandby reports whether a commit must be on two servers.
	requiresStandby() bool
	// trusts reports whether somebody answers for settings that may lose a commit.
	trusts() bool
	logTrust(settings []string)
}
