package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// openImpatient opens an inbox whose connections neither wait for SQLite's writer nor
// begin as one: a write out of turn fails.
func openImpatient(t *testing.T, e engine) (*sqlinbox.Inbox, *sql.DB) {
	driver, dsn := e.store(t)
	dsn = strings.Replace(dsn, "busy_timeout(5000)", "busy_timeout(0)", 1)
	return e.reopen(t, driver, strings.Replace(dsn, "&_txlock=immediate", "", 1))
}

func insertEffect(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('x')")
	return err
}

func TestWritesAndPutsTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := openImpatient(t, e)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		const each = 60
		var puts, writes atomic.Int64
		var all sync.WaitGroup
		loop := func(what string, n *atomic.Int64, do func() error) {
			all.Go(func() {
				for puts.Load() < each || writes.Load() < each {
					if err := do(); err != nil {
						t.Errorf("%s: %v, after %d Puts and %d Writes", what, err, puts.Load(), writes.Load())
						return
					}
					n.Add(1)
				}
			})
		}
		for range 64 {
			loop("Put", &puts, func() error { return in.Put(ctx, delivery("")) })
		}
		for range 4 {
			loop("Write", &writes, func() error { return in.Write(ctx, insertEffect) })
		}
		all.Wait()
		if n := count(t, db, "effects"); int64(n) != writes.Load() {
			t.Errorf("%d effects of %d Writes", n, writes.Load())
		}
		if n := count(t, db, "hookhouse_deliveries"); int64(n) != puts.Load() {
			t.Errorf("%d deliveries of %d Puts", n, puts.Load())
		}
	})
}

func TestAWriteThatFailsChangesNothingAndEndsItsTurn(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		failure := errors.New("failed")
		for name, fail := range map[string]func() error{
			"error": func() error { return failure },
			"panic": func() error { panic(failure) },
		} {
			in, db := e.open(t)
			run(t, db, "CREATE TABLE effects (uid TEXT)")
			var recovered any
			err := func() error {
				defer func() { recovered = recover() }()
				return in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
					if err := insertEffect(ctx, tx); err != nil {
						t.Error(err)
					}
					if err := in.PutTx(ctx, tx, delivery("key")); err != nil {
						t.Error(err)
					}
					return fail()
				})
			}()
			if name == "panic" && recovered != failure || name == "error" && !errors.Is(err, failure) {
				t.Errorf("%s: Write returned %v and panicked with %v", name, err, recovered)
			}
			if n := count(t, db, "effects") + count(t, db, "hookhouse_deliveries"); n != 0 {
				t.Errorf("%s: %d rows were committed", name, n)
			}
			put(t, in, delivery("key"))
			if err := in.Write(t.Context(), insertEffect); err != nil {
				t.Errorf("%s: the next Write returned %v", name, err)
			}
		}
	})
}

func TestAWriteEndsWithItsContext(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		ended, end := context.WithCancel(t.Context())
		begun, goOn, returned := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			returned <- in.Write(ended, func(ctx context.Context, tx *sql.Tx) error {
				err := insertEffect(ctx, tx)
				close(begun)
				<-goOn
				return err
			})
		}()
		<-begun
		if e.Dialect == sqlinbox.SQLite { // where it waits for its turn
			short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if err := in.Write(short, insertEffect); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a Write that waits returned %v at the end of its context", err)
			}
		}
		end()
		put(t, in, delivery("")) // while f hangs
		if err := in.Write(t.Context(), insertEffect); err != nil {
			t.Error(err)
		}
		close(goOn)
		if err := <-returned; !errors.Is(err, context.Canceled) {
			t.Errorf("Write returned %v, want the end of its context", err)
		}
		if err := in.Write(ended, insertEffect); !errors.Is(err, context.Canceled) {
			t.Errorf("Write returned %v for a context that has ended", err)
		}
		if n := count(t, db, "effects"); n != 1 {
			t.Errorf("%d effects, want that of the second Write", n)
		}
	})
}

// On SQLite any other write inside a Write would wait for that Write.
func TestOtherWritesInsideAWriteDoNotDeadlock(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		check := func(what string, err error) {
			t.Helper()
			if e.Dialect == sqlinbox.SQLite {
				wantTexts(t, err, "database is locked by a transaction of InTx or Write that has not ended: inside it use PutTx")
			} else if err != nil {
				t.Errorf("%s inside Write returned %v", what, err)
			}
		}
		start := time.Now()
		err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			check("Put", in.Put(ctx, delivery("")))
			check("Write", in.Write(ctx, insertEffect))
			_, err := in.Claim(ctx, webhook.ClaimOptions{})
			check("Claim", err)
			took := time.Since(start)
			check("Put with another context", in.Put(t.Context(), delivery("")))
			// On SQLite only a Put with another context waits for the busy timeout.
			if waited := time.Since(start) - took; e.Dialect == sqlinbox.SQLite && took >= waited {
				t.Errorf("with the context of f they took %v, a Put with another context %v", took, waited)
			}
			return insertEffect(ctx, tx)
		})
		if err != nil {
			t.Error(err)
		}
		put(t, in, delivery(""))
	})
}

func TestWhatAWritePutsWakesWorkers(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, db := e.open(t)
		run(t, db, "CREATE TABLE effects (uid TEXT)")
		changed := in.Changed()
		if err := in.Write(t.Context(), insertEffect); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
			t.Error("a Write that put nothing woke workers")
		default:
		}
		d := delivery("key")
		if err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return in.PutTx(ctx, tx, d) }); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		default:
			t.Error("a Write that put a delivery woke nobody")
		}
		if s := stateOf(t, in, d.UID); s != webhook.Waiting {
			t.Errorf("it is %s", s)
		}
	})
}

func TestAWriteIsAsDurableAsAPut(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		driver, dsn := e.store(t)
		e.reopen(t, driver, dsn)
		in := sqlinbox.New(openDB(t, driver, strings.Replace(dsn, "FULL", "NORMAL", 1)), e.Dialect)
		if err := in.Write(t.Context(), insertEffect); !errors.Is(err, sqlinbox.ErrNotDurable) {
			t.Errorf("%s: Write returned %v, want ErrNotDurable", e.Name, err)
		}
	}
	e := onPostgres(t)
	for asked, want := range map[string]string{"off": "on", "local": "on", "remote_apply": "remote_apply"} {
		driver, dsn := e.store(t)
		in, _ := e.reopen(t, driver, dsn+"&synchronous_commit="+asked)
		err := in.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			var got string
			if err := tx.QueryRowContext(ctx, "SHOW synchronous_commit").Scan(&got); err != nil || got != want {
				t.Errorf("%s: synchronous_commit is %s, %v, want %s", asked, got, err, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAWriteNeedsTablesAndAnOpenInbox(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		none := sqlinbox.New(openDB(t, driver, dsn), e.Dialect)
		if err := none.Write(t.Context(), insertEffect); !errors.Is(err, sqlinbox.ErrNotMigrated) {
			t.Errorf("Write returned %v, want ErrNotMigrated", err)
		}
		in, _ := e.open(t)
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := in.Write(t.Context(), insertEffect); !errors.Is(err, sqlinbox.ErrClosed) {
			t.Errorf("Write returned %v, want ErrClosed", err)
		}
	})
}
