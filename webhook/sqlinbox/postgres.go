package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// PostgreSQL is PostgreSQL 13 or later, by any driver of database/sql.
var PostgreSQL = postgresDialect

var postgresDialect = &Dialect{
	name:    "PostgreSQL",
	files:   "postgres",
	syntax:  postgresSyntax,
	queries: readQueries("query/postgres.sql", postgresSyntax),
	settings: []setting{
		{query: showSetting("fsync"), allowed: []string{"on"}, advice: "fsync must be on, or a provider named in Inbox.TrustDurability", trusted: true},
		{query: showSetting("full_page_writes"), allowed: []string{"on"}, advice: "full_page_writes must be on, or a provider named in Inbox.TrustDurability", trusted: true},
		{query: showSetting("server_encoding"), allowed: []string{"UTF8"}, advice: "the database must be encoded in UTF8"},
		{query: "SELECT CASE WHEN current_setting('synchronous_standby_names') = '' THEN 'empty' ELSE 'set' END", allowed: []string{"set"},
			advice: "RequireStandby is set, so synchronous_standby_names must name a standby", standby: true},
		{query: showSetting("synchronous_commit"), allowed: []string{"on", "remote_apply"},
			advice: "RequireStandby is set, so synchronous_commit must be on or remote_apply", standby: true},
	},
	migrate:   []string{"SELECT pg_advisory_xact_lock(7741962880473)"},
	isError:   statement.HasState,
	newEngine: newPostgresEngine,
}

// showSetting returns a query for a setting. Other servers with the protocol of PostgreSQL may
// lack it.
func showSetting(name string) string {
	return "SELECT coalesce(current_setting('" + name + "', true), 'unknown')"
}

func init() { dialects = append(dialects, PostgreSQL) }

// postgresSyntax has the server's clock, in microseconds.
var postgresSyntax = statement.Syntax{Numbered: true, Now: "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"}

const (
	// batchTimeout bounds one batch of puts.
	batchTimeout = 15 * time.Second
	// raiseCommit makes a transaction durable on a server, or for a role, that
	// commits without waiting for the disk.
	raiseCommit = `SELECT CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
		THEN set_config('synchronous_commit', 'on', true) END`
	// isReadCommitted is how PostgreSQL spells it.
	isReadCommitted = "read committed"
)

// A postgresEngine writes on any connection of the pool. Puts that wait together
// share a transaction, in a goroutine of their own, and so do settlements in another.
// Everything else is a transaction, or a statement, of its own.
type postgresEngine struct {
	*tables
	host
	writer      *writer
	lockedKeys  lockedKeys
	settlements settlements
	strict      atomic.Bool // the server's default isolation is another than READ COMMITTED
}

func newPostgresEngine(t *tables, h host) engine {
	e := &postgresEngine{tables: t, host: h}
	e.writer = newWriter(h, e.commit, func() {})
	e.lockedKeys.closed = e.writer.queue.closing
	return e
}

func (e *postgresEngine) close() {
	e.writer.queue.stop()
	e.settlements.wait()
}

// tx repeats f after a conflict.
func (e *postgresEngine) tx(ctx context.Context, f func(ctx context.Context, s session) error) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	return statement.Retry(ctx, isConflict, func() error { return statement.Tx(ctx, e.db, statement.ReadCommitted, f) })
}

// stmt needs no transaction around f, unless the server would run its statements
// under another isolation than they are made for.
func (e *postgresEngine) stmt(ctx context.Context, f func(ctx context.Context, s session) error) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	return statement.Retry(ctx, isConflict, func() error { return e.tryStmt(ctx, f) })
}

// tryStmt is one try of stmt. Only another isolation fails by a serialization
// failure: then the server's default was changed since it was read.
func (e *postgresEngine) tryStmt(ctx context.Context, f func(ctx context.Context, s session) error) error {
	if e.strict.Load() {
		return statement.Tx(ctx, e.db, statement.ReadCommitted, f)
	}
	err := f(ctx, e.db)
	if statement.IsSerialization(err) {
		e.strict.Store(true)
	}
	return err
}

func (e *postgresEngine) begin(ctx context.Context) (*programTx, error) {
	if e.writer.queue.isClosed() {
		return nil, ErrClosed
	}
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqlinbox: %w", e.explain(ctx, err))
	}
	tx, err := newProgramTx(conn, func() {}, func() (*sql.Tx, error) { return conn.BeginTx(ctx, statement.ReadCommitted) })
	if err != nil {
		return nil, fmt.Errorf("sqlinbox: begin: %w", e.explain(ctx, err))
	}
	return tx, nil
}

// durable checks tx and raises its synchronous_commit.
func (e *postgresEngine) durable(ctx context.Context, tx *sql.Tx) error {
	if err := e.checkTx(ctx, tx); err != nil {
		return err
	}
	if e.requiresStandby() {
		return e.replicate(ctx, tx)
	}
	if _, err := tx.ExecContext(ctx, raiseCommit); err != nil {
		return fmt.Errorf("sqlinbox: begin: %w", e.explain(ctx, err))
	}
	return nil
}

func (e *postgresEngine) txError(_ string, err error) error { return err }

// ready refuses a write after close, and checks the server before the first one.
func (e *postgresEngine) ready(ctx context.Context) error {
	if e.writer.queue.isClosed() {
		return ErrClosed
	}
	return e.verify(ctx)
}

// verify checks once what holds for all connections.
func (e *postgresEngine) verify(ctx context.Context) error {
	if e.verified.Load() {
		return nil
	}
	return e.check(ctx)
}

func (e *postgresEngine) check(ctx context.Context) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqlinbox: %w", e.explain(ctx, err))
	}
	defer func() { _ = conn.Close() }()
	return e.checkServer(ctx, conn)
}

// checkServer checks by way of one connection what holds for all. Only what the
// database says undoes an earlier success, not that nobody waited for it.
func (e *postgresEngine) checkServer(ctx context.Context, s session) error {
	err := e.checkAll(ctx, s, e.host)
	var isolation string
	if err == nil {
		err = e.query(ctx, s, "default_isolation", args{}, func(row *sql.Rows) error { return row.Scan(&isolation) })
	}
	switch {
	case err == nil:
		e.strict.Store(isolation != isReadCommitted)
		e.verified.Store(true)
	case errors.Is(err, ErrNotDurable), errors.Is(err, ErrNotMigrated), errors.Is(err, ErrNewerSchema):
		e.verified.Store(false)
	}
	return err
}

// checkTx checks the server once, and the isolation of each tx.
func (e *postgresEngine) checkTx(ctx context.Context, tx *sql.Tx) error {
	if e.writer.queue.isClosed() {
		return ErrClosed
	}
	if !e.verified.Load() {
		if err := e.checkServer(ctx, tx); err != nil {
			return err
		}
	}
	var isolation string
	err := e.query(ctx, tx, "isolation", args{}, func(row *sql.Rows) error { return row.Scan(&isolation) })
	if err == nil && isolation != isReadCommitted {
		err = fmt.Errorf("%w: it is %s", ErrIsolation, strings.ToUpper(isolation))
	}
	return err
}
