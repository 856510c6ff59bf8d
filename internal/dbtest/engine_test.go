package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// An engine is a database and the driver that leads to it.
type engine struct {
	name    string
	dialect *sqlinbox.Dialect
	// store returns the driver's name and a DSN for an empty store.
	store func(tb testing.TB) (driver, dsn string)
}

var modernc = engine{"SQLite by modernc", sqlinbox.SQLite, func(tb testing.TB) (string, string) {
	return "sqlite", "file:" + filepath.Join(tb.TempDir(), "inbox.db") +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}}

var ncruces = engine{"SQLite by ncruces", sqlinbox.SQLite, func(tb testing.TB) (string, string) {
	return "sqlite3", "file:" + filepath.Join(tb.TempDir(), "inbox.db") +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}}

var schemas atomic.Int64

func onPostgres(s *postgres.Server) engine {
	return engine{"PostgreSQL", sqlinbox.PostgreSQL, func(tb testing.TB) (string, string) {
		name := fmt.Sprintf("test%d", schemas.Add(1))
		db := openDB(tb, "pgx", s.DSN())
		if _, err := db.Exec("CREATE SCHEMA " + name); err != nil {
			tb.Fatal(err)
		}
		return "pgx", s.DSN("search_path=" + name)
	}}
}

// onEach runs f for each engine. PostgreSQL is left out where there is none.
func onEach(t *testing.T, f func(t *testing.T, e engine)) {
	engines := []engine{modernc, ncruces}
	if theServer != nil {
		engines = append(engines, onPostgres(theServer))
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { f(t, e) })
	}
}

// openPool opens a database with as many connections as the tests need at once.
func openPool(driver, dsn string) (*sql.DB, error) {
	db, err := sql.Open(driver, dsn)
	if err == nil && driver == "pgx" {
		db.SetMaxOpenConns(12)
		db.SetMaxIdleConns(12)
	}
	return db, err
}

func openDB(tb testing.TB, driver, dsn string) *sql.DB {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// open returns an inbox in an empty store, and the store.
func (e engine) open(tb testing.TB) (*sqlinbox.Inbox, *sql.DB) {
	driver, dsn := e.store(tb)
	return e.reopen(tb, driver, dsn)
}

// reopen returns another inbox on a store.
func (e engine) reopen(tb testing.TB, driver, dsn string) (*sqlinbox.Inbox, *sql.DB) {
	db := openDB(tb, driver, dsn)
	in := sqlinbox.New(db, e.dialect)
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

// theServer is nil where PostgreSQL is not installed.
var theServer *postgres.Server

func TestMain(m *testing.M) {
	flag.Parse()
	if *spoolPrimary != "" {
		if err := receiverProcess(*spoolPrimary, *spoolDriver, *spoolLocal); err != nil {
			fmt.Fprintln(os.Stderr, "receiver process:", err)
			os.Exit(1)
		}
		return
	}
	s, err := postgres.Start(context.Background())
	switch {
	case err == nil:
		theServer = s
	case errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true":
		fmt.Println("left out:", err)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if s != nil {
		s.Stop()
	}
	os.Exit(code)
}
