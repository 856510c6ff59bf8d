package main

import (
	"cmp"
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

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// openTimeout bounds how long a server is waited for.
const openTimeout = 15 * time.Second

// A database is an inbox with its database.
type database struct {
	*sqlinbox.Inbox
	db *sql.DB
}

var _ store = (*database)(nil)

// openNamed opens the database that the flags or the environment name.
func openNamed(ctx context.Context, name string, o *options) (*database, error) {
	o.note.By = cmp.Or(o.note.By, loginName())
	d, err := openDatabase(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("-db: %w", err)
	}
	if !o.verbose {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d, nil
}

// openDatabase opens a database that exists, and does not change it.
func openDatabase(ctx context.Context, name string) (*database, error) {
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
	d := &database{sqlinbox.New(db, dialect), db}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if _, err := d.Pending(ctx, 1); err != nil { // this checks the version of the schema
		d.close()
		return nil, explain(err)
	}
	return d, nil
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

// Body returns the body of a delivery, byte for byte.
func (d *database) Body(ctx context.Context, uid string) ([]byte, error) {
	r, err := d.Get(ctx, uid)
	switch {
	case err != nil:
		return nil, err
	case r.Err != nil:
		return nil, fmt.Errorf("the stored delivery is damaged: %w", r.Err)
	}
	return r.Delivery.Body, nil
}

// release does not regard the note: an inbox does not record who releases.
func (d *database) release(ctx context.Context, uid string, _ webhook.Note) error {
	return d.Release(ctx, uid)
}

func (d *database) numbers(ctx context.Context) (numbers, error) {
	st, err := d.Stats(ctx)
	return numbers{Stats: st}, err
}

func (d *database) follow(f webhook.Filter, every time.Duration) feed {
	return &looker{tailer: newTailer(d, f), every: every}
}

// check opens the database as Put does and commits a small change. A failure says why calls
// are refused.
func (d *database) check(ctx context.Context) (string, error) {
	if err := d.Ping(ctx); err != nil {
		return "", fmt.Errorf("-check: deliveries cannot be stored: %w", err)
	}
	return "the database can store deliveries", nil
}

// close closes the inbox and then the database.
func (d *database) close() {
	_ = d.Inbox.Close()
	_ = d.db.Close()
}
