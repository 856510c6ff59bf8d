package engine

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Store is a database, or a schema of one. Any process can open it.
type Store struct{ Driver, DSN string }

// Dialect returns the dialect of the store's database.
func (s Store) Dialect() *sqlinbox.Dialect {
	if s.Driver == "pgx" {
		return sqlinbox.PostgreSQL
	}
	return sqlinbox.SQLite
}

// With returns the store with further settings, such as "mode=ro".
func (s Store) With(settings ...string) Store {
	s.DSN += "&" + strings.Join(settings, "&")
	return s
}

// idleConns is how many idle connections a store keeps, as the documentation of the inbox
// advises. Without it that is two, and the others are closed and opened again and again.
const idleConns = 10

// Open opens the store. The number of connections is not limited.
func (s Store) Open() (db *sql.DB, err error) {
	if db = s.reusing(); db == nil {
		if db, err = sql.Open(s.Driver, s.DSN); err != nil {
			return nil, err
		}
	}
	db.SetMaxIdleConns(idleConns)
	return db, nil
}

// DB opens the store and closes it at the end of the test.
func (s Store) DB(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := s.Open()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// Inbox returns a migrated inbox on connections of its own, as another process
// has it. Both are closed at the end of the test.
func (s Store) Inbox(tb testing.TB) (*sqlinbox.Inbox, *sql.DB) {
	tb.Helper()
	db := s.DB(tb)
	in := sqlinbox.New(db, s.Dialect())
	if err := in.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := in.Close(); err != nil {
			tb.Error(err)
		}
	})
	return in, db
}
