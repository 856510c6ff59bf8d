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

// A store is the inbox and the database that it is in, which has a table of
// builds as well.
type store struct {
	*sqlinbox.Inbox
	db       *sql.DB
	numbered bool // PostgreSQL's placeholders: $1, not ?
}

// openStore opens what -db names: a PostgreSQL URL, or the file of a SQLite
// database, which is made if it is missing.
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

// sql writes the placeholders of a statement as the database wants them.
func (s *store) sql(text string) string {
	if !s.numbered {
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

// transact runs work in a transaction.
func (s *store) transact(ctx context.Context, work func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// sqliteDSN asks for what durability rests on, on every connection, and for
// transactions that write from the start.
func sqliteDSN(file string) string {
	settings := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: settings.Encode()}).String()
}

// close closes the inbox and then the database, after all that uses them.
func (s *store) close() {
	_ = s.Inbox.Close()
	_ = s.db.Close()
}
