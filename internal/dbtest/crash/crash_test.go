package crash_test

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/broken"
	"github.com/hookhouse/hookhouse/internal/dbtest/crash"
	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
)

var (
	kills = flag.Int("kills", 5, "number of kills of the receiver, or the database, in each trial")
	wait  = flag.Duration("wait", 50*time.Millisecond, "maximum time under load before a kill")
)

func TestMain(m *testing.M) {
	crash.Main()
	engine.Main(m, "")
}

func onSQLite(t *testing.T) crash.Trial {
	return crash.Trial{
		Name:   "SQLite",
		Store:  engine.Store{Driver: "sqlite", DSN: engine.SQLiteDSN(filepath.Join(t.TempDir(), "inbox.db"))},
		Kills:  *kills,
		Wait:   *wait,
		Output: t.Output(),
	}
}

// check runs the trial and fails if a promise was broken.
func check(t *testing.T, trial crash.Trial) {
	t.Helper()
	report, err := trial.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(t.Output(), report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}

func TestAcknowledgedIsHandledIfTheReceiverIsKilled(t *testing.T) { check(t, onSQLite(t)) }

func TestAcknowledgedIsHandledIfReceiverAndServerAreKilled(t *testing.T) {
	store := engine.PostgreSQL(t).NewStore(t)
	check(t, crash.Trial{Name: "PostgreSQL", Store: store, Server: engine.Server, Kills: *kills, Wait: *wait, Output: t.Output()})
}

func TestBrokenInboxIsFound(t *testing.T) {
	for variant, want := range map[broken.Variant]string{
		broken.AcknowledgesEarly: "acknowledged deliveries were never handled",
		broken.SettlesEarly:      "acknowledged deliveries were never handled",
		broken.NoDedupKeys:       "ran again",
		broken.Reorders:          "which was acknowledged before it was sent",
	} {
		t.Run(string(variant), func(t *testing.T) {
			trial := onSQLite(t)
			trial.Kills, trial.Clients, trial.Lease, trial.Variant = 1, 32, time.Second, variant
			report, err := trial.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(t.Output(), report)
			if err := report.Err(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestTrialWithoutAKillThatCountsFails(t *testing.T) {
	trial := onSQLite(t)
	trial.Clients, trial.Tries = 4, 5
	if _, err := trial.Run(t.Context()); !errors.Is(err, crash.ErrVacuous) {
		t.Errorf("got %v, want %v", err, crash.ErrVacuous)
	}
}
