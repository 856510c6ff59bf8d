package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A backup is a copy of an inbox that was made while it was busy.
type backup struct {
	file         string
	acknowledged []string // before the backup began
	done         []string // before the backup began
}

// backUp makes a copy while the inbox is busy, during which a delivery is acknowledged.
func (b *busyInbox) backUp(t *testing.T, db *sql.DB, write func(file string) error) backup {
	t.Helper()
	must(t, wait.Until(t.Context(), "some deliveries are done", func() bool { return len(uidsOf(t, db, "done")) > 50 }))
	must(t, wait.Until(t.Context(), "one is claimed that is slow", func() bool {
		return len(texts(t, db, "SELECT uid FROM hookhouse_deliveries WHERE state = 'claimed' AND ordering_key = '"+slowKey+"'")) == 1
	}))
	for range 100 {
		made := backup{filepath.Join(t.TempDir(), "backup"), b.acknowledged(), uidsOf(t, db, "done")}
		must(t, write(made.file))
		if len(b.acknowledged()) > len(made.acknowledged) {
			return made
		}
	}
	t.Fatal("no delivery was acknowledged during 100 backups, so a backup blocks those that store")
	return backup{}
}

// uidsOf returns the UIDs in a state, sorted. Without a state it returns all.
func uidsOf(t *testing.T, db *sql.DB, state string) []string {
	t.Helper()
	return texts(t, db, "SELECT uid FROM hookhouse_deliveries WHERE '"+state+"' IN ('', state) ORDER BY uid")
}

// What the package documentation says of a backup by VACUUM INTO.
func TestABackupOfABusyInboxHasAllThatWasAcknowledgedBeforeIt(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			in, db := e.open(t)
			b := newBusyInbox(in)
			stop := b.start(t)
			defer stop()
			made := b.backUp(t, db, func(file string) error {
				_, err := db.ExecContext(t.Context(), "VACUUM INTO ?", file)
				return err
			})
			stop()

			// The copy has the journal mode DELETE, and the error has a DSN to use.
			driver, _ := e.store(t)
			plain := sqlinbox.New(openDB(t, driver, "file:"+made.file), e.Dialect)
			if err := plain.Check(t.Context()); !errors.Is(err, sqlinbox.ErrNotDurable) {
				t.Errorf("Check of the copy without journal_mode(WAL) returned %v, want ErrNotDurable", err)
			}
			must(t, plain.Close())
			copied, copiedDB := e.reopen(t, driver, databases.SQLiteDSN(made.file))
			if diff := cmp.Diff([]string{"ok"}, texts(t, copiedDB, "PRAGMA integrity_check")); diff != "" {
				t.Errorf("integrity_check (-want +got):\n%s", diff)
			}
			b.checkCopy(t, copied, copiedDB, made)
			b.goOn(t, copied, copiedDB)
		})
	}
}

// What the package documentation says of a backup by pg_dump.
func TestADumpOfABusyInboxHasAllThatWasAcknowledgedBeforeIt(t *testing.T) {
	e := onPostgres(t)
	driver, dsn := e.store(t)
	in, db := e.reopen(t, driver, dsn)
	schema := texts(t, db, "SELECT current_schema()")[0]
	b := newBusyInbox(in)
	stop := b.start(t)
	defer stop()
	made := b.backUp(t, db, func(file string) error {
		return runProgram(databases.Server.Command(t.Context(), "pg_dump", "-Fc", "-n", schema, "-f", file, databases.Server.DSN()))
	})
	stop()
	must(t, in.Close())
	run(t, db, "ALTER SCHEMA "+schema+" RENAME TO "+schema+"_lost")
	must(t, runProgram(databases.Server.Command(t.Context(), "pg_restore", "-e", "-d", databases.Server.DSN(), made.file)))
	copied, copiedDB := e.reopen(t, driver, dsn)
	b.checkCopy(t, copied, copiedDB, made)
	b.goOn(t, copied, copiedDB)
}

// runProgram runs a program. Its error has what the program printed.
func runProgram(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// checkCopy checks that a backup has what it must have, and nothing else.
func (b *busyInbox) checkCopy(t *testing.T, in *sqlinbox.Inbox, db *sql.DB, made backup) {
	t.Helper()
	must(t, in.Check(t.Context()))
	all := uidsOf(t, db, "")
	for _, uid := range made.acknowledged {
		if _, ok := slices.BinarySearch(all, uid); !ok {
			t.Errorf("%s was acknowledged before the backup began, and is not in it", uid)
		}
	}
	for _, uid := range all {
		if !b.begun[uid] {
			t.Errorf("%s is in the backup and was never stored", uid)
		}
	}
	done := uidsOf(t, db, "done")
	for _, uid := range made.done {
		if _, ok := slices.BinarySearch(done, uid); !ok {
			t.Errorf("%s was done before the backup began, and is not in it", uid)
		}
	}
	headless := texts(t, db, `SELECT ordering_key FROM hookhouse_deliveries WHERE ordering_key <> '' AND state IN ('waiting', 'claimed', 'blocked')
		GROUP BY source, ordering_key HAVING sum(CASE state WHEN 'blocked' THEN 0 ELSE 1 END) <> 1`)
	if len(headless) > 0 {
		t.Errorf("ordering keys %q have unfinished deliveries and not one head", headless)
	}
	for table, query := range map[string]string{
		"hookhouse_bodies":     "SELECT uid FROM hookhouse_deliveries d WHERE NOT EXISTS (SELECT 1 FROM hookhouse_bodies b WHERE b.id = d.id)",
		"hookhouse_dedup_keys": "SELECT uid FROM hookhouse_deliveries d WHERE NOT EXISTS (SELECT 1 FROM hookhouse_dedup_keys k WHERE k.delivery_id = d.id)",
	} {
		if uids := texts(t, db, query); len(uids) > 0 {
			t.Errorf("%s has no row for %q", table, uids)
		}
	}
}

// goOn handles what a backup has left unfinished, and stores what its senders send again.
func (b *busyInbox) goOn(t *testing.T, in *sqlinbox.Inbox, db *sql.DB) {
	t.Helper()
	last := map[string]int{} // done by ordering key, so far
	note := func(key, id string) {
		n, err := strconv.Atoi(id)
		must(t, err)
		if want, ok := last[key]; ok && n != want+1 || !ok && n != 0 {
			t.Errorf("%s: delivery %d runs after %d", key, n, want)
		}
		last[key] = n
	}
	for _, done := range texts(t, db, "SELECT uid FROM hookhouse_deliveries WHERE state = 'done' ORDER BY id") {
		r, err := in.Get(t.Context(), done)
		must(t, err)
		note(r.Delivery.OrderingKey, r.Delivery.ID)
	}
	for _, uid := range uidsOf(t, db, "claimed") { // by the Worker that ended with the program
		must(t, in.Release(t.Context(), uid))
	}
	left := len(uidsOf(t, db, "waiting")) + len(uidsOf(t, db, "blocked"))
	handled := make(chan *webhook.Delivery, left)
	runWorker(t, in, left, func(_ context.Context, d *webhook.Delivery) error {
		handled <- d
		return nil
	})
	close(handled)
	for d := range handled {
		note(d.OrderingKey, d.ID)
	}
	for key, n := range last {
		if err := b.send(t.Context(), in, key, n); !webhook.IsDuplicate(err) {
			t.Errorf("%s: the last one that the backup has, sent again: %v, want a duplicate", key, err)
		}
		wantNil(t, b.send(t.Context(), in, key, n+1))
	}
}
