package env

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Backend is where an implementation stores pushes.
type Backend string

const (
	Memory     Backend = "memory" // nothing is stored
	File       Backend = "file"
	SQLite     Backend = "SQLite"
	PostgreSQL Backend = "PostgreSQL"
)

// Served reports whether a server of its own stores, whose processor time counts too.
func (b Backend) Served() bool { return b == PostgreSQL || b == RabbitMQ }

// Databases are the backends of the inbox.
var Databases = []Backend{SQLite, PostgreSQL}

func (b Backend) engine() pace.Engine {
	if b == PostgreSQL {
		return pace.PostgreSQL
	}
	return pace.SQLite
}

// DSN returns the data source name of a store that [Env.Make] made. All
// implementations on SQLite have the same settings. The inbox sets how often it
// checkpoints by itself; for the others it is SQLite's default of 1000 pages.
func (b Backend) DSN(at string) string {
	if b == PostgreSQL {
		return at
	}
	return "file:" + filepath.Join(at, "bench.db") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
}

// Pool opens a store for an implementation that has tables of its own.
func (b Backend) Pool(at string) (*sql.DB, error) { return pace.OpenPool(b.engine().Driver, b.DSN(at)) }

// A Store is an inbox and its pool.
type Store struct {
	*sqlinbox.Inbox
	DB *sql.DB
}

// Open opens a store with an inbox and makes its tables.
func (b Backend) Open(ctx context.Context, at string) (*Store, error) {
	db, in, err := b.engine().Open(ctx, b.DSN(at))
	if err != nil {
		return nil, err
	}
	return &Store{in, db}, nil
}

// Close closes the inbox and then the pool.
func (s *Store) Close() error { return errors.Join(s.Inbox.Close(), s.DB.Close()) }
