package ledger

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A store is a database as two processes can open it.
type store struct{ driver, dsn string }

func (s store) open() (*sql.DB, *sqlinbox.Inbox, error) {
	db, err := sql.Open(s.driver, s.dsn)
	if err != nil {
		return nil, nil, err
	}
	dialect := sqlinbox.SQLite
	if s.driver == "pgx" {
		dialect = sqlinbox.PostgreSQL
		db.SetMaxOpenConns(12)
		db.SetMaxIdleConns(12)
	}
	return db, sqlinbox.New(db, dialect), nil
}

func newSQLite(t *testing.T) store {
	return store{"sqlite", "file:" + filepath.Join(t.TempDir(), "inbox.db") +
		"?_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"}
}

// theServer is nil where PostgreSQL is not installed.
var theServer *postgres.Server

func newPostgres(t *testing.T) store {
	db, err := sql.Open("pgx", theServer.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT 'ledger' || (count(*) + 1)::text FROM pg_namespace").Scan(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	return store{"pgx", theServer.DSN("search_path=" + name)}
}

var (
	deliveries = flag.Int("deliveries", usually, "how many deliveries the accounting is held over")
	// What a worker process is told by the process that starts it.
	ledgerAddr = flag.String("ledger", "", "be a worker process that reports to the ledger at this address")
	share      = flag.Int("workers", 0, "how many workers the process has")
	driver     = flag.String("driver", "", "driver of the store it works on")
	dsn        = flag.String("dsn", "", "and its data source name")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *ledgerAddr != "" {
		if err := workerProcess(store{*driver, *dsn}, *ledgerAddr, *share); err != nil {
			fmt.Fprintln(os.Stderr, "worker process:", err)
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
