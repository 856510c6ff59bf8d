// Package builds records builds in the database of the inbox. A build is a push whose build
// has begun; one that waits for its first run is only a delivery in the inbox. What belongs
// together is committed together: the state of a build, the status that reports it, which is
// a delivery of its own, and the settlement of the push.
package builds

import (
	"context"
	"database/sql"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The states of a build.
const (
	Running  = "running"
	Waiting  = "waiting" // interrupted or stopped; runs again
	Success  = "success"
	Failure  = "failure"  // the command failed
	Error    = "error"    // the command could not be run, or was stopped
	Replaced = "replaced" // a newer push or a deletion of the ref took its place
)

// A Build is a push whose build has begun.
type Build struct {
	ID         string // UID of the delivery; sorts by time of arrival
	Repository string
	Ref        string
	Commit     string // empty until git says what an annotated tag points to
	Title      string // first line of the commit's message
	Context    string // name of the commit status
	Forced     bool
	State      string
	Detail     string // reason for the state
	Run        int    // number of the current or last run, from 1
	Received   time.Time
	Started    time.Time // start of that run
	Ended      time.Time // zero until the build is finished
}

// Finished reports whether the state is final. It may still be built again.
func (b Build) Finished() bool { return b.State != Running && b.State != Waiting }

const table = `CREATE TABLE IF NOT EXISTS github_ci_builds (
	id TEXT PRIMARY KEY, repository TEXT NOT NULL, ref TEXT NOT NULL, commit_id TEXT NOT NULL, title TEXT NOT NULL, context TEXT NOT NULL,
	forced INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL, run INTEGER NOT NULL,
	received BIGINT NOT NULL, started BIGINT NOT NULL, ended BIGINT NOT NULL)`

// A Store is the table of builds in the database of an inbox. It is safe for concurrent
// use.
type Store struct {
	db     *sql.DB
	inbox  *sqlinbox.Inbox
	status func(Build) *webhook.Delivery
}

// New returns the table in the database of the inbox, and creates it if it does not exist.
// status returns the delivery that reports the state of a build, or nil if it is not
// reported; the delivery is put into the inbox.
func New(ctx context.Context, db *sql.DB, inbox *sqlinbox.Inbox, status func(Build) *webhook.Delivery) (*Store, error) {
	_, err := db.ExecContext(ctx, table)
	return &Store{db, inbox, status}, err
}

const columns = `id, repository, ref, commit_id, title, context, forced, state, detail, run, received, started, ended`
