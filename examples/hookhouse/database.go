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
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL
	_ "modernc.org/sqlite"             // SQLite, in Go

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// openTimeout bounds how long a server is waited for.
const openTimeout = 15 * time.Second

// A store is an inbox with its database.
type store struct {
	*sqlinbox.Inbox
	db *sql.DB
}

// withStore opens the database, calls f and closes the database.
func withStore(ctx context.Context, o options, p *printer, f func(context.Context, *store, options, *printer) error) error {
	name, err := databaseName(o.database)
	if err != nil {
		return err
	}
	s, err := openStore(ctx, name)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer s.close()
	if !o.verbose {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return f(ctx, s, o, p)
}

// databaseName returns -db, or what the environment says.
func databaseName(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	lines, err := readLines("HOOKHOUSE_DB")
	switch {
	case err != nil:
		return "", err
	case len(lines) == 0:
		return "", usagef("no database: set -db FILE, or HOOKHOUSE_DB to a file or a postgres:// URL")
	case len(lines) > 1:
		return "", usagef("HOOKHOUSE_DB has %d lines, want one", len(lines))
	}
	return lines[0], nil
}

// openStore opens a database that exists, and does not change it.
func openStore(ctx context.Context, name string) (*store, error) {
	driver, dialect, dsn := "sqlite", sqlinbox.SQLite, sqliteDSN(name)
	if strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://") {
		driver, dialect, dsn = "pgx", sqlinbox.PostgreSQL, name
	} else if err := checkFile(name); err != nil {
		return nil, err
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	s := &store{sqlinbox.New(db, dialect), db}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if _, err := s.Pending(ctx, 1); err != nil { // this checks the version of the schema
		s.close()
		return nil, explain(err)
	}
	return s, nil
}

// checkFile refuses a file that is not there: SQLite would say less, or create it.
func checkFile(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the file %s does not exist; hookhouse creates no database", quoted(name))
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", quoted(name))
	}
	return nil
}

// explain says what to do about tables that are not those of this program.
func explain(err error) error {
	switch {
	case errors.Is(err, sqlinbox.ErrNewerSchema):
		return fmt.Errorf("%w; build hookhouse with the version of the library that the program uses", err)
	case errors.Is(err, sqlinbox.ErrNotMigrated) && strings.Contains(err.Error(), "it has version"):
		return fmt.Errorf("%w; hookhouse changes no tables: start the program of this database in a version of the library as new as this one, or use an older hookhouse (this is %s)", err, version())
	case errors.Is(err, sqlinbox.ErrNotMigrated):
		return fmt.Errorf("%w; the database has no tables of Hookhouse: is it that of the program?", err)
	}
	return err
}

// sqliteDSN returns a DSN for a file that exists. It leaves the journal mode as it is.
func sqliteDSN(file string) string {
	settings := url.Values{
		"mode":    {"rw"},
		"_pragma": {"busy_timeout(5000)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: settings.Encode()}).String()
}

// close closes the inbox and then the database.
func (s *store) close() {
	_ = s.Inbox.Close()
	_ = s.db.Close()
}
