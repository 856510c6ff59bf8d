package powerloss_test

import (
	"errors"
	"flag"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/hookhouse/hookhouse/internal/dbtest/powerloss"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

var seeds = flag.Uint64("seeds", 1, "number of runs of each power-loss test, each with another seed")

var (
	torn  = powerloss.Loss{Sector: 512, Share: 0.5, Sizes: true, Names: true}
	pages = powerloss.Loss{Sector: 4096, Share: 0.7, Sizes: true, Names: true}
)

func TestAcknowledgedDeliveriesSurvivePowerLoss(t *testing.T) {
	wal := powerloss.Run{Senders: 8, Deliveries: 12, Body: 12000, Drain: 16, CutEvery: 40}
	receive := wal
	receive.Receive = true
	journal := powerloss.Run{Senders: 4, Deliveries: 12, Body: 9000, Drain: 16, CutEvery: 60}
	for _, c := range []struct {
		name    string
		run     powerloss.Run
		journal string
		sync    string
		loss    powerloss.Loss
	}{
		{"a receiver's 202, unsynced bytes lost", receive, "WAL", "FULL", powerloss.Loss{}},
		{"a receiver's 202, sectors torn", receive, "WAL", "FULL", torn},
		{"a nil from Put, unsynced bytes lost", wal, "WAL", "FULL", powerloss.Loss{}},
		{"a nil from Put, pages torn", wal, "WAL", "FULL", pages},
		{"a journal that is truncated", journal, "TRUNCATE", "FULL", powerloss.Loss{}},
		{"a journal that is truncated, sectors torn", journal, "TRUNCATE", "FULL", torn},
		{"a journal that persists, sectors torn", journal, "PERSIST", "FULL", torn},
		{"a journal that is deleted, with EXTRA", journal, "DELETE", "EXTRA", powerloss.Loss{}},
		{"a journal that is deleted, with EXTRA, sectors torn", journal, "DELETE", "EXTRA", torn},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range *seeds {
				c.run.Journal, c.run.Sync, c.run.Loss, c.run.Seed = c.journal, c.sync, c.loss, seed
				report, err := c.run.Do(t.Context())
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if !report.Whole() {
					t.Errorf("seed %d: lost %q, not settled %q, damaged %q", seed, report.Lost, report.Undone, report.Damaged)
				}
				wantTried(t, c.run, report)
			}
		})
	}
}

// wantTried fails unless the run had what it is meant to test.
func wantTried(t *testing.T, r powerloss.Run, report *powerloss.Report) {
	t.Helper()
	t.Logf("%d acknowledged, %d settled, largest transaction %d, %d checkpoints; %d power losses, %d of them in a checkpoint; %d images drained",
		report.Acknowledged, report.Settled, report.Batch, report.Checkpoints, report.Cuts, report.InCheckpoint, report.Drained)
	if want := r.Senders * r.Deliveries; report.Acknowledged != want || report.Settled < want/3 || report.Cuts < want {
		t.Errorf("%d acknowledged, %d settled, %d cuts: want %d, a third of it, and more", report.Acknowledged, report.Settled, report.Cuts, want)
	}
	if report.Batch < 2 {
		t.Error("no transaction had several puts")
	}
	if report.Drained == 0 {
		t.Error("no image was drained")
	}
	if r.Journal == "WAL" && (report.Checkpoints < 2 || report.InCheckpoint == 0) {
		t.Errorf("%d checkpoints, %d power losses in one: want several and some", report.Checkpoints, report.InCheckpoint)
	}
}

// With less than what the inbox asks for, the same run must lose something.
func TestARunThatIsNotDurableLosesDeliveries(t *testing.T) {
	base := powerloss.Run{Senders: 4, Deliveries: 8, Body: 12000, Sync: "EXTRA"}
	for _, c := range []struct {
		name       string
		journal    string
		weaken     string
		receive    bool
		loss       powerloss.Loss
		ignoreSync func(name string) bool
	}{
		{name: "synchronous is NORMAL", journal: "WAL", weaken: "NORMAL"},
		{name: "synchronous is NORMAL under a receiver", journal: "WAL", weaken: "NORMAL", receive: true},
		{name: "synchronous is NORMAL and sectors are torn", journal: "WAL", weaken: "NORMAL", loss: torn},
		{name: "synchronous is OFF", journal: "WAL", weaken: "OFF"},
		{name: "synchronous is NORMAL with a journal that is truncated", journal: "TRUNCATE", weaken: "NORMAL"},
		{name: "synchronous is FULL with a journal that is deleted", journal: "DELETE", weaken: "FULL"},
		{name: "the disk ignores the syncs of the log", journal: "WAL", ignoreSync: func(name string) bool { return strings.HasSuffix(name, "-wal") }},
		{name: "the disk ignores the syncs of the database", journal: "WAL", ignoreSync: func(name string) bool { return !strings.HasSuffix(name, "-wal") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := base
			run.Journal, run.Weaken, run.Receive, run.Loss, run.IgnoreSync = c.journal, c.weaken, c.receive, c.loss, c.ignoreSync
			report, err := run.Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d acknowledged, %d power losses: %d times one was missing, %d times one was not settled, %d images damaged",
				report.Acknowledged, report.Cuts, len(report.Lost), len(report.Undone), len(report.Damaged))
			if len(report.Lost) == 0 {
				t.Error("nothing was lost")
			}
		})
	}
}

// A deleted journal may come back after a power loss and undo the commit: SQLite syncs
// the folder only with synchronous=EXTRA.
func TestADeletedJournalNeedsSynchronousExtra(t *testing.T) {
	for _, c := range []struct {
		sync string
		want error
	}{
		{"FULL", sqlinbox.ErrNotDurable},
		{"EXTRA", nil},
	} {
		disk, err := powerloss.NewDisk(nil)
		if err != nil {
			t.Fatal(err)
		}
		db, err := driver.Open(disk.DSN("inbox.db", "_pragma=busy_timeout(5000)", "_pragma=journal_mode(DELETE)", "_pragma=synchronous("+c.sync+")"))
		if err != nil {
			t.Fatal(err)
		}
		in := sqlinbox.New(db, sqlinbox.SQLite)
		if err := in.Migrate(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("synchronous %s: Migrate returned %v, want %v", c.sync, err, c.want)
		}
		if err := errors.Join(in.Close(), db.Close(), disk.Close()); err != nil {
			t.Error(err)
		}
	}
}
