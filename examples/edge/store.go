package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	db *sql.DB
}

// openStore opens the database of -db: a PostgreSQL URL, or the file of a SQLite
// database. It creates the file if it does not exist, for this user alone, and the
// tables.
func openStore(ctx context.Context, name string) (*store, error) {
	if !isPostgres(name) {
		if err := makePrivate(name); err != nil {
			return nil, err
		}
	}
	s, err := connect(name)
	if err != nil {
		return nil, err
	}
	if err := s.Migrate(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// checkStore returns an error if openStore would fail, or if nothing could be stored
// then. It creates nothing.
func checkStore(ctx context.Context, name string) error {
	if !isPostgres(name) {
		_, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return checkFolder(filepath.Dir(name))
		}
		if err != nil {
			return err
		}
	}
	s, err := connect(name)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.Ping(ctx); !errors.Is(err, sqlinbox.ErrNotMigrated) {
		return err
	}
	return nil // the start creates the tables
}

// checkFolder returns an error if no file can be created in a folder.
func checkFolder(dir string) error {
	f, err := os.CreateTemp(dir, ".check-*")
	if err != nil {
		return fmt.Errorf("no file can be created in %s: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// makePrivate creates the file of a database so that only this user can read it:
// SQLite creates one that everybody can read, and its other files have the mode of the
// first.
func makePrivate(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the database cannot be opened: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o007 != 0 {
		slog.Warn("every user of this host can read the database; to change that, run chmod o= on its files", "file", name)
	}
	return nil
}

func isPostgres(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

func connect(name string) (*store, error) {
	driver, dialect, dsn := "sqlite", sqlinbox.SQLite, sqliteDSN(name)
	if isPostgres(name) {
		driver, dialect, dsn = "pgx", sqlinbox.PostgreSQL, name
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	return &store{sqlinbox.New(db, dialect), db}, nil
}

// sqliteDSN returns a DSN that makes every connection durable, with WAL and
// synchronous=FULL, and every transaction a writer from its start.
func sqliteDSN(file string) string {
	settings := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: settings.Encode()}).String()
}

// close closes the inbox and then the database. Call it when nothing uses them.
func (s *store) close() {
	_ = s.Inbox.Close()
	_ = s.db.Close()
}
