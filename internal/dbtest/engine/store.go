package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
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

// IdleConns is how many idle connections a store keeps, as the documentation of the inbox
// advises. Without it that is two, and the others are closed and opened again and again.
const IdleConns = 10

// Open opens the store. The number of connections is not limited.
func (s Store) Open() (*sql.DB, error) {
	c, err := s.Connector()
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxIdleConns(IdleConns)
	return db, nil
}

// Connector returns what connects to the store.
func (s Store) Connector() (driver.Connector, error) {
	if c, err := s.reusing(); c != nil || err != nil {
		return c, err
	}
	db, err := sql.Open(s.Driver, s.DSN) // connects to nothing
	if err != nil {
		return nil, err
	}
	d := db.Driver()
	if err := db.Close(); err != nil {
		return nil, err
	}
	if c, ok := d.(driver.DriverContext); ok {
		return c.OpenConnector(s.DSN)
	}
	return opener{d, s.DSN}, nil
}

// An opener is the connector of a driver that has none.
type opener struct {
	driver driver.Driver
	dsn    string
}

func (o opener) Driver() driver.Driver                        { return o.driver }
func (o opener) Connect(context.Context) (driver.Conn, error) { return o.driver.Open(o.dsn) }

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
