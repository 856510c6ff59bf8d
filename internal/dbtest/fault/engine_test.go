package fault_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// An engine is a database and the driver that leads to it.
type engine struct {
	name    string
	driver  string
	dialect *sqlinbox.Dialect
	// store returns the DSN of an empty store.
	store func(tb testing.TB) string
}

var files atomic.Int64

var sqlite = engine{"SQLite", "sqlite", sqlinbox.SQLite, func(tb testing.TB) string {
	return "file:" + filepath.Join(tb.TempDir(), fmt.Sprintf("inbox%d.db", files.Add(1))) +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}}

// theServer is nil where PostgreSQL is not installed.
var theServer *postgres.Server

var postgreSQL = engine{"PostgreSQL", "pgx", sqlinbox.PostgreSQL, func(tb testing.TB) string {
	name := fmt.Sprintf("test%d", files.Add(1))
	db, err := sql.Open("pgx", theServer.DSN())
	if err == nil {
		_, err = db.Exec("CREATE SCHEMA " + name)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		tb.Error(err)
	}
	// Nothing here is about flushes: only what the inbox insists on waits for one.
	return theServer.DSN("search_path="+name, "synchronous_commit=off")
}}

// onEach runs f for each engine. PostgreSQL is left out where there is none.
func onEach(t *testing.T, f func(t *testing.T, e engine)) {
	t.Run(sqlite.name, func(t *testing.T) { f(t, sqlite) })
	if theServer != nil {
		t.Run(postgreSQL.name, func(t *testing.T) { f(t, postgreSQL) })
	}
}

func TestMain(m *testing.M) {
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
