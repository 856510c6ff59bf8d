// Package engine opens the databases that the tests run on: SQLite through two
// drivers, and PostgreSQL on a server that the tests start for themselves.
package engine

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// An Engine makes empty stores of one database, for one driver.
type Engine struct {
	Name    string
	Dialect *sqlinbox.Dialect
	// NewStore reports a store that cannot be made with tb.Error, so that any
	// goroutine may call it.
	NewStore func(tb testing.TB) Store
}

// SQLite, by driver.
var (
	Modernc = onSQLite("SQLite by modernc", "sqlite")
	Ncruces = onSQLite("SQLite by ncruces", "sqlite3")
)

var stores atomic.Int64 // made by this process

func onSQLite(name, driver string) Engine {
	return Engine{name, sqlinbox.SQLite, func(tb testing.TB) Store {
		file := filepath.Join(tb.TempDir(), fmt.Sprintf("inbox%d.db", stores.Add(1)))
		return Store{driver, SQLiteDSN(file)}.With("_txlock=immediate")
	}}
}

// SQLiteDSN names a file with the settings that the documentation shows. Both
// drivers take it.
func SQLiteDSN(file string) string {
	return "file:" + file + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
}

// OnServer returns the engine that makes schemas on a server. The settings are
// those of each connection.
func OnServer(s *postgres.Server, settings ...string) Engine {
	return Engine{"PostgreSQL", sqlinbox.PostgreSQL, func(tb testing.TB) Store {
		schema := fmt.Sprintf("test%d", stores.Add(1))
		db, err := Store{"pgx", s.DSN()}.Open()
		if err == nil {
			_, err = db.Exec("CREATE SCHEMA " + schema)
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			tb.Error(err)
		}
		return Store{"pgx", s.DSN(append([]string{"search_path=" + schema}, settings...)...)}
	}}
}

// PostgreSQL returns the engine of Server. If there is no server, it skips the
// test, and Main has printed why.
func PostgreSQL(tb testing.TB) Engine {
	tb.Helper()
	if Server == nil {
		tb.Skip("PostgreSQL is not installed")
	}
	return OnServer(Server)
}

// All returns every engine that can run here.
func All() []Engine {
	all := []Engine{Modernc, Ncruces}
	if Server != nil {
		all = append(all, OnServer(Server))
	}
	return all
}
