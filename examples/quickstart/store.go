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

// A store is an inbox with its database.
type store struct {
	*sqlinbox.Inbox
	db        *sql.DB
	temporary string // folder that close removes, if not empty
}

// openStore opens the database of -db: a PostgreSQL URL, or the file of a SQLite
// database, which is created if it does not exist. If name is empty, it opens
// hookhouse.db, or for a demo a temporary file that close removes.
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

// sqliteDSN returns a DSN that makes every connection durable: WAL and
// synchronous=FULL.
func sqliteDSN(file string) string {
	settings := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: settings.Encode()}).String()
}

// close closes the inbox and then the database. Call it when nothing uses them.
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
