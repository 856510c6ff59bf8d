package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL
	_ "modernc.org/sqlite"             // SQLite, in Go

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A store is an inbox with its database, which also has a table of builds.
type store struct {
	*sqlinbox.Inbox
	db                 *sql.DB
	dollarPlaceholders bool // PostgreSQL: $1 instead of ?
}

// openStore opens the database of -db: a PostgreSQL URL, or the file of a SQLite
// database, which is created if it does not exist.
func openStore(ctx context.Context, name string) (*store, error) {
	driver, dialect, dsn := "sqlite", sqlinbox.SQLite, sqliteDSN(name)
	if strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://") {
		driver, dialect, dsn = "pgx", sqlinbox.PostgreSQL, name
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	s := &store{sqlinbox.New(db, dialect), db, dialect == sqlinbox.PostgreSQL}
	if err := s.Migrate(ctx); err != nil {
		s.close()
		return nil, err
	}
	if _, err := db.ExecContext(ctx, buildsTable); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// rebind converts the placeholders of a statement to those of the database.
func (s *store) rebind(text string) string {
	if !s.dollarPlaceholders {
		return text
	}
	var b strings.Builder
	for n, part := range strings.Split(text, "?") {
		if n > 0 {
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteString(part)
	}
	return b.String()
}

// transact runs work in a transaction. It commits if work returns nil.
func (s *store) transact(ctx context.Context, work func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after a commit
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
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
