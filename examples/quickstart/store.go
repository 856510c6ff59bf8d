package main

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL
	_ "modernc.org/sqlite"             // SQLite, in Go

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A store is the inbox and the database that it is in.
type store struct {
	*sqlinbox.Inbox
	db        *sql.DB
	temporary string // folder to be removed; empty: none
}

// openStore opens what -db names: a PostgreSQL URL, or the file of a SQLite
// database, which is made if it is missing. Without a name it is hookhouse.db,
// for a demo a file that is gone after close.
func openStore(ctx context.Context, name string, demo bool) (*store, error) {
	s := new(store)
	switch {
	case name == "" && !demo:
		name = "hookhouse.db"
	case name == "":
		dir, err := os.MkdirTemp("", "quickstart")
		if err != nil {
			return nil, err
		}
		s.temporary = dir
		name = filepath.Join(dir, "demo.db")
	}
	driver, dialect, dsn := "sqlite", sqlinbox.SQLite, sqliteDSN(name)
	if strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://") {
		driver, dialect, dsn = "pgx", sqlinbox.PostgreSQL, name
	}
	var err error
	if s.db, err = sql.Open(driver, dsn); err != nil {
		s.close()
		return nil, err
	}
	s.Inbox = sqlinbox.New(s.db, dialect)
	if err := s.Migrate(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// sqliteDSN asks for what durability rests on, on every connection.
func sqliteDSN(file string) string {
	settings := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: settings.Encode()}).String()
}

// close closes the inbox and then the database, after all that uses them.
func (s *store) close() {
	if s.Inbox != nil {
		_ = s.Inbox.Close()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.temporary != "" {
		_ = os.RemoveAll(s.temporary)
	}
}
