package dbtest

import (
	"context"
	"database/sql"
	"testing"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// An engine is a database and the driver that leads to it.
type engine struct{ databases.Engine }

var (
	modernc = engine{databases.Modernc}
	ncruces = engine{databases.Ncruces}
)

func TestMain(m *testing.M) {
	process.Main(func(ctx context.Context, c receiverConfig) error { return c.run(ctx) })
	databases.Main(m, databases.Memory())
}

// onPostgres returns the engine of PostgreSQL. It skips the test if PostgreSQL is
// not installed.
func onPostgres(t *testing.T) engine {
	t.Helper()
	return engine{databases.PostgreSQL(t)}
}

// onEach runs f for each engine, side by side: each has a database of its own. It
// must be the last call of a test, since f may run after onEach has returned.
func onEach(t *testing.T, f func(t *testing.T, e engine)) {
	inTurn(t, func(t *testing.T, e engine) {
		t.Parallel()
		f(t, e)
	})
}

// inTurn is onEach for an f that changes what the process has once, or in which
// many calls wait for each other, which the inbox lets them do for two seconds.
func inTurn(t *testing.T, f func(t *testing.T, e engine)) {
	for _, e := range databases.All() {
		t.Run(e.Name, func(t *testing.T) { f(t, engine{e}) })
	}
}

// store returns the driver's name and the DSN of an empty store.
func (e engine) store(tb testing.TB) (driver, dsn string) {
	s := e.NewStore(tb)
	return s.Driver, s.DSN
}

// open returns an inbox in an empty store, and the store.
func (e engine) open(tb testing.TB) (*sqlinbox.Inbox, *sql.DB) { return e.NewStore(tb).Inbox(tb) }

// reopen returns another inbox on a store.
func (e engine) reopen(tb testing.TB, driver, dsn string) (*sqlinbox.Inbox, *sql.DB) {
	return databases.Store{Driver: driver, DSN: dsn}.Inbox(tb)
}

func openDB(tb testing.TB, driver, dsn string) *sql.DB {
	return databases.Store{Driver: driver, DSN: dsn}.DB(tb)
}
