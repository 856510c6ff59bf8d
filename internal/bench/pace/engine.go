package pace

import (
	"context"
	"database/sql"
	"errors"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// PoolSize is how many connections to its database each implementation has.
const PoolSize = 16

// An Engine is a database that the inbox is measured on.
type Engine struct {
	Driver  string
	Dialect *sqlinbox.Dialect
}

// SQLite and PostgreSQL are the engines.
var (
	SQLite     = Engine{"sqlite", sqlinbox.SQLite}
	PostgreSQL = Engine{"pgx", sqlinbox.PostgreSQL}
)

// Open returns an inbox with its tables, and its pool. The caller closes the inbox
// and then the pool.
func (e Engine) Open(ctx context.Context, dsn string) (*sql.DB, *sqlinbox.Inbox, error) {
	db, err := OpenPool(e.Driver, dsn)
	if err != nil {
		return nil, nil, err
	}
	in := sqlinbox.New(db, e.Dialect)
	if err := in.Migrate(ctx); err != nil {
		return nil, nil, errors.Join(err, in.Close(), db.Close())
	}
	return db, in, nil
}

// OpenPool opens a pool that keeps its connections.
func OpenPool(driver, dsn string) (*sql.DB, error) {
	db, err := sql.Open(driver, dsn)
	if err == nil {
		db.SetMaxOpenConns(PoolSize)
		db.SetMaxIdleConns(PoolSize)
	}
	return db, err
}
