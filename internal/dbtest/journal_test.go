package dbtest

import (
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// plain returns a DSN without settings for a file that does not exist.
func (e engine) plain(t *testing.T) (driver, dsn string) {
	t.Helper()
	driver, _ = e.store(t)
	return driver, "file:" + filepath.Join(t.TempDir(), "plain.db")
}

func journalMode(t *testing.T, db *sql.DB) string {
	t.Helper()
	var mode string
	if err := db.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode); err != nil {
		t.Fatal(err)
	}
	return mode
}

func TestANewFileNeedsNoSettings(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.name, func(t *testing.T) {
			driver, dsn := e.plain(t)
			inboxes := make([]*sqlinbox.Inbox, 6)
			errs := make([]error, len(inboxes))
			var all sync.WaitGroup
			for i := range inboxes {
				inboxes[i] = sqlinbox.New(openDB(t, driver, dsn), e.dialect)
				t.Cleanup(func() { _ = inboxes[i].Close() })
				all.Go(func() { errs[i] = inboxes[i].Migrate(t.Context()) })
			}
			all.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			db := openDB(t, driver, dsn)
			if mode := journalMode(t, db); mode != "wal" {
				t.Errorf("journal_mode is %s, want wal", mode)
			}
			for _, in := range inboxes {
				all.Go(func() {
					for range 20 {
						if err := in.Put(t.Context(), delivery("key")); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			if n, want := count(t, db, "hookhouse_deliveries"), 20*len(inboxes); n != want {
				t.Errorf("%d deliveries, want %d", n, want)
			}
		})
	}
}

// Whoever holds the file while Migrate sets the journal mode is waited for.
func TestMigrateWaitsForWhoeverHasTheNewFile(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.name, func(t *testing.T) {
			driver, dsn := e.plain(t)
			conn, err := openDB(t, driver, dsn).Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			in := sqlinbox.New(openDB(t, driver, dsn), e.dialect)
			t.Cleanup(func() { _ = in.Close() })
			go func() { done <- in.Migrate(t.Context()) }()
			select {
			case err := <-done:
				t.Fatalf("Migrate returned %v while the file was held", err)
			case <-time.After(200 * time.Millisecond):
			}
			if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			put(t, in, delivery(""))
		})
	}
}

// The journal mode of a database with tables is the program's.
func TestMigrateLeavesTheJournalModeOfADatabaseWithTables(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		for mode, want := range map[string]error{"DELETE": sqlinbox.ErrNotDurable, "TRUNCATE": nil, "PERSIST": nil, "WAL": nil} {
			t.Run(e.name+" "+mode, func(t *testing.T) {
				driver, dsn := e.plain(t)
				dsn += "?_pragma=journal_mode(" + mode + ")"
				db := openDB(t, driver, dsn)
				run(t, db, "CREATE TABLE orders (id INTEGER)")
				before := journalMode(t, db)
				in := sqlinbox.New(db, e.dialect)
				t.Cleanup(func() { _ = in.Close() })
				if err := in.Migrate(t.Context()); !errors.Is(err, want) {
					t.Fatalf("Migrate returned %v, want %v", err, want)
				}
				if after := journalMode(t, db); after != before {
					t.Errorf("journal_mode is %s, was %s", after, before)
				}
				if n := count(t, db, "sqlite_master WHERE name LIKE 'hookhouse%'"); (n > 0) != (want == nil) {
					t.Errorf("%d tables and indexes of ours", n)
				}
			})
		}
	}
}

// What the inbox sets is set on the connection that writes, before it writes.
func TestTheWriterIsSetUpBeforeItWrites(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.name, func(t *testing.T) {
			driver, dsn := e.plain(t)
			e.reopen(t, driver, dsn)
			db, plan, err := fault.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			var seen []string
			plan.Watch(func(what string) { seen = append(seen, what) }, nil)
			in := sqlinbox.New(db, e.dialect)
			t.Cleanup(func() { _ = in.Close() })
			put(t, in, delivery(""))
			plan.Watch(nil, nil)
			for _, text := range []string{"busy_timeout = 5000", "wal_autocheckpoint = 1000", "synchronous = FULL"} {
				set := indexOf(seen, text)
				if begun := indexOf(seen, "BEGIN IMMEDIATE"); set < 0 || begun < set {
					t.Errorf("%q is operation %d, the first transaction %d", text, set, begun)
				}
			}
		})
	}
}

func indexOf(list []string, part string) int {
	is := contains(part)
	for i, text := range list {
		if is(text) {
			return i
		}
	}
	return -1
}
