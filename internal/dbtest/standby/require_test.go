package standby

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The parts share a pair, and the last one ends it.
func TestWhatIsOnTwoMachines(t *testing.T) {
	p := newPair(t)
	in, db := open(t, p.primary)
	must(t, in.Migrate(t.Context()))
	t.Run("settings that commit on one machine are refused", func(t *testing.T) { settingsAreRefused(t, p, db) })
	t.Run("a server that drops its standby is noticed by the next Put", func(t *testing.T) { droppedStandby(t, p, in, db) })
	t.Run("a duplicate is acknowledged when what it found is on the standby", func(t *testing.T) { duplicateWaits(t, p, in, db) })
	t.Run("a duplicate of PutTx makes the commit wait", func(t *testing.T) { duplicateInTxWaits(t, p, in, db) })
	t.Run("a driver that cancels the wait acknowledges nothing", func(t *testing.T) { cancellingDriver(t, p, db) })
	t.Run("a Put ends though a server is frozen", func(t *testing.T) { frozenServers(t, p, in) })
	t.Run("a failover to an asynchronous standby loses what was acknowledged", func(t *testing.T) { asynchronousLoses(t, p) })
}

func settingsAreRefused(t *testing.T, p *pair, db *sql.DB) {
	for _, value := range []string{"off", "local", "remote_write"} {
		in, _ := open(t, p.primary, "synchronous_commit="+value)
		for what, err := range calls(t, in) {
			wantNotDurable(t, what, err)
			if err != nil && (!strings.Contains(err.Error(), "synchronous_commit") || !strings.Contains(err.Error(), value)) {
				t.Errorf("%s with %s: %v does not name it", what, value, err)
			}
		}
	}
	for _, value := range []string{"on", "remote_apply"} {
		in, _ := open(t, p.primary, "synchronous_commit="+value)
		for what, err := range calls(t, in) {
			if err != nil {
				t.Errorf("%s with %s returned %v", what, value, err)
			}
		}
	}
	must(t, p.primary.Set(t.Context(), "synchronous_standby_names", ""))
	in, _ := open(t, p.primary)
	for what, err := range calls(t, in) {
		wantNotDurable(t, what, err)
		if err != nil && !strings.Contains(err.Error(), "synchronous_standby_names") {
			t.Errorf("%s: %v does not name the setting", what, err)
		}
	}
	plain := sqlinbox.New(db, sqlinbox.PostgreSQL)
	for what, err := range calls(t, plain) {
		if err != nil {
			t.Errorf("%s of an inbox without RequireStandby returned %v", what, err)
		}
	}
	must(t, p.primary.Set(t.Context(), "synchronous_standby_names", "*"))
	must(t, p.primary.AwaitStandby(t.Context(), "second"))
	wantNil(t, in.Put(t.Context(), delivery()))
}

// calls are what the methods that check the settings return.
func calls(t *testing.T, in *sqlinbox.Inbox) map[string]error {
	nothing := func(context.Context, *sql.Tx) error { return nil }
	return map[string]error{
		"Check": in.Check(t.Context()), "Ping": in.Ping(t.Context()), "Migrate": in.Migrate(t.Context()), "Put": in.Put(t.Context(), delivery()),
		"Write": in.Write(t.Context(), nothing),
	}
}

func TestSQLiteHasNoStandby(t *testing.T) {
	db := engine.Store{Driver: "sqlite", DSN: engine.SQLiteDSN(filepath.Join(t.TempDir(), "inbox.db"))}.DB(t)
	plain := sqlinbox.New(db, sqlinbox.SQLite)
	must(t, plain.Migrate(t.Context()))
	wantNil(t, plain.Close())
	in := sqlinbox.New(db, sqlinbox.SQLite)
	in.RequireStandby = true
	for what, err := range calls(t, in) {
		wantNotDurable(t, what, err)
	}
	wantNil(t, in.Close())
}

// No Check and no Ping comes between the Puts.
func droppedStandby(t *testing.T, p *pair, in *sqlinbox.Inbox, db *sql.DB) {
	known := delivery()
	must(t, in.Put(t.Context(), known))
	must(t, p.primary.Set(t.Context(), "synchronous_standby_names", ""))
	// Sessions of the pool read the file at their next statement.
	one := delivery()
	wantNotDurable(t, "Put", in.Put(t.Context(), one))
	wantNotDurable(t, "Put of a duplicate", in.Put(t.Context(), again(known)))
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	wantNotDurable(t, "PutTx", in.PutTx(t.Context(), tx, one))
	wantNil(t, tx.Rollback())
	if isStored(t, db, one) {
		t.Error("a delivery that was refused is stored")
	}
	must(t, p.primary.Set(t.Context(), "synchronous_standby_names", "*"))
	must(t, p.primary.AwaitStandby(t.Context(), "second"))
	must(t, in.Put(t.Context(), one))
}

// cancelled stores a delivery whose commit waits for a frozen standby, and has the wait
// cancelled, as an administrator or the end of a context does. PostgreSQL then reports
// success: what is returned is committed here and not replicated.
func cancelled(t *testing.T, in *sqlinbox.Inbox, db *sql.DB) *webhook.Delivery {
	t.Helper()
	d := delivery()
	result := make(chan error, 1)
	go func() { result <- in.Put(t.Context(), d) }()
	awaitStandbyWait(t, db)
	if isStored(t, db, d) {
		t.Error("a commit that waits for the standby is visible")
	}
	if _, err := db.ExecContext(t.Context(), "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Fatalf("Put whose wait was cancelled returned %v; the documentation says that this is a success", err)
	}
	if !isStored(t, db, d) {
		t.Fatal("a commit whose wait was cancelled is not visible")
	}
	return d
}

func duplicateWaits(t *testing.T, p *pair, in *sqlinbox.Inbox, db *sql.DB) {
	thaw := p.freeze(t)
	d := cancelled(t, in, db)
	result := make(chan error, 1)
	go func() { result <- in.Put(t.Context(), again(d)) }()
	must(t, wait.Until(t.Context(), "the duplicate waits", func() bool { return waiting(t, db) > 0 || len(result) > 0 }))
	if len(result) > 0 {
		t.Fatalf("Put returned %v before the standby had the delivery", <-result)
	}
	thaw()
	if err := <-result; !webhook.IsDuplicate(err) {
		t.Errorf("Put returned %v, want a duplicate", err)
	}
	copied := engine.Store{Driver: "pgx", DSN: p.second.DSN()}.DB(t)
	must(t, wait.Until(t.Context(), "the standby shows the delivery", func() bool { return isStored(t, copied, d) }))
}

func duplicateInTxWaits(t *testing.T, p *pair, in *sqlinbox.Inbox, db *sql.DB) {
	thaw := p.freeze(t)
	d := cancelled(t, in, db)
	tx, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	if err := in.PutTx(t.Context(), tx, again(d)); !webhook.IsDuplicate(err) {
		t.Fatalf("PutTx returned %v, want a duplicate", err)
	}
	result := make(chan error, 1)
	go func() { result <- tx.Commit() }()
	must(t, wait.Until(t.Context(), "the commit waits", func() bool { return waiting(t, db) > 0 || len(result) > 0 }))
	if len(result) > 0 {
		t.Fatalf("Commit returned %v before the standby had the delivery", <-result)
	}
	thaw()
	wantNil(t, <-result)
}

// This driver asks the server to cancel what is under way when a context ends, and returns
// what the server answers. Put takes as long as its batch may, which is 15 s.
func cancellingDriver(t *testing.T, p *pair, db *sql.DB) {
	config, err := pgx.ParseConfig(p.primary.DSN())
	must(t, err)
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: wait.Timeout}
	}
	cancelling := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = cancelling.Close() })
	in := sqlinbox.New(cancelling, sqlinbox.PostgreSQL)
	in.RequireStandby = true
	t.Cleanup(func() { wantNil(t, in.Close()) })
	must(t, in.Check(t.Context()))
	thaw := p.freeze(t)
	defer thaw()
	written, d := make(chan error, 1), delivery()
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		written <- in.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { return in.PutTx(ctx, tx, delivery()) })
	}()
	if err := in.Put(t.Context(), d); err == nil {
		t.Error("Put returned nil, and the standby is frozen")
	}
	if !isStored(t, db, d) {
		t.Error("the driver has not cancelled the wait")
	}
	if err := <-written; err == nil {
		t.Error("Write returned nil, and the standby is frozen")
	}
}

// The standby follows no more when the delivery is acknowledged.
func asynchronousLoses(t *testing.T, p *pair) {
	must(t, p.primary.Set(t.Context(), "synchronous_standby_names", ""))
	in, db := open(t, p.primary)
	in.RequireStandby = false
	kept := delivery()
	must(t, in.Put(t.Context(), kept))
	copied := engine.Store{Driver: "pgx", DSN: p.second.DSN()}.DB(t)
	must(t, wait.Until(t.Context(), "the standby has the first delivery", func() bool { return isStored(t, copied, kept) }))
	must(t, p.second.Set(t.Context(), "primary_conninfo", ""))
	must(t, wait.Until(t.Context(), "the standby is disconnected", func() bool {
		var n int
		must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_replication").Scan(&n))
		return n == 0
	}))
	lost := delivery()
	must(t, in.Put(t.Context(), lost))
	must(t, p.primary.Kill())
	must(t, p.second.Promote(t.Context()))
	if !isStored(t, copied, kept) {
		t.Error("what the standby had is lost")
	}
	if isStored(t, copied, lost) {
		t.Error("what the standby did not have is there")
	}
	if err := in.Ping(t.Context()); err == nil || errors.Is(err, sqlinbox.ErrNotDurable) {
		t.Errorf("Ping of a server that was killed returned %v", err)
	}
}
