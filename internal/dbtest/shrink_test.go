package dbtest

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// fillAndSweep stores deliveries of nearly 4 MB, and handles and sweeps all but the last
// ones.
func fillAndSweep(t *testing.T, in *sqlinbox.Inbox) {
	t.Helper()
	const total, kept = 60, 5
	for range total {
		d := delivery("")
		d.Body = bytes.Repeat([]byte("x"), 60_000)
		put(t, in, d)
	}
	for range total - kept {
		settle(t, in, claimOne(t, in), webhook.Done)
	}
	in.Retention = time.Microsecond
	if n, err := in.Sweep(t.Context()); n != total-kept || err != nil {
		t.Fatalf("Sweep: %d, %v; want %d", n, err, total-kept)
	}
}

// The free pages of a swept file are used again before it grows.
func TestASweptFileDoesNotShrinkAndDoesNotGrow(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			fillAndSweep(t, in)
			swept := fileSize(t, db)
			if swept < 3<<20 {
				t.Errorf("the swept file has %d bytes, want those of all deliveries", swept)
			}
			fillAndSweep(t, in)
			if again := fileSize(t, db); again > swept+swept/5 {
				t.Errorf("the file has grown from %d to %d bytes, although most of it was free", swept, again)
			}
		})
	}
}

func TestVacuumShrinksTheFileWhileDeliveriesAreStored(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			fillAndSweep(t, in)
			before := count(t, db, "hookhouse_deliveries")
			stored := putsDuring(t, in, func() { run(t, db, "VACUUM") })
			if size := fileSize(t, db); size > 1<<20 {
				t.Errorf("the file has %d bytes after VACUUM, want a fraction of 4 MB", size)
			}
			must(t, in.Check(t.Context()))
			if n := count(t, db, "hookhouse_deliveries"); n != before+stored {
				t.Errorf("%d deliveries, want %d and the %d stored since", n, before, stored)
			}
		})
	}
}

func TestIncrementalVacuumShrinksTheFileInSteps(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		for name, settings := range map[string]struct{ dsn, once string }{
			"a new file":       {dsn: "?_pragma=auto_vacuum(incremental)&_pragma=busy_timeout(5000)"},
			"one that existed": {dsn: "?_pragma=busy_timeout(5000)", once: "PRAGMA auto_vacuum = incremental; VACUUM"},
		} {
			t.Run(e.Name+", "+name, func(t *testing.T) {
				driver, _ := e.store(t)
				in, db := e.reopen(t, driver, "file:"+filepath.Join(t.TempDir(), "inbox.db")+settings.dsn)
				if settings.once != "" {
					run(t, db, settings.once)
				}
				fillAndSweep(t, in)
				last := fileSize(t, db)
				steps := 0
				for texts(t, db, "PRAGMA freelist_count")[0] != "0" {
					run(t, db, "PRAGMA incremental_vacuum(200)")
					size := fileSize(t, db)
					if size >= last {
						t.Fatalf("the size went from %d to %d bytes", last, size)
					}
					last = size
					steps++
					put(t, in, delivery(""))
				}
				if steps < 2 || last > 1<<20 {
					t.Errorf("%d bytes are left after %d steps", last, steps)
				}
				must(t, in.Check(t.Context()))
			})
		}
	}
}

// fileSize returns the size of the database, after all of its log is in it.
func fileSize(t *testing.T, db *sql.DB) int64 {
	t.Helper()
	var busy, logged, copied int
	must(t, db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &copied))
	if busy != 0 {
		t.Fatal("the checkpoint did not end")
	}
	info, err := os.Stat(texts(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'")[0])
	must(t, err)
	return info.Size()
}

// putsDuring stores deliveries while f runs, and returns how many.
func putsDuring(t *testing.T, in *sqlinbox.Inbox, f func()) (stored int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	first := make(chan struct{})
	began := sync.OnceFunc(func() { close(first) })
	all.Go(func() {
		defer began()
		for ctx.Err() == nil {
			if err := in.Put(t.Context(), delivery("")); err != nil {
				t.Errorf("Put returned %v", err)
				return
			}
			stored++
			began()
		}
	})
	<-first
	f()
	stop()
	all.Wait()
	return stored
}
