package publishcrash_test

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
	"github.com/hookhouse/hookhouse/internal/dbtest/publishcrash"
)

var (
	kills = flag.Int("kills", 3, "number of kills of the publisher in each trial")
	wait  = flag.Duration("wait", 50*time.Millisecond, "maximum time under load before a kill")
)

func TestMain(m *testing.M) {
	publishcrash.Main()
	engine.Main(m, "")
}

func onSQLite(t *testing.T) publishcrash.Trial {
	return publishcrash.Trial{
		Name:   "SQLite",
		Store:  engine.Store{Driver: "sqlite", DSN: engine.SQLiteDSN(filepath.Join(t.TempDir(), "outbox.db"))},
		Kills:  *kills,
		Wait:   *wait,
		Output: t.Output(),
	}
}

// check runs the trial and fails if a promise was broken.
func check(t *testing.T, trial publishcrash.Trial) {
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

func TestPublishedArrivesIfThePublisherIsKilledOnSQLite(t *testing.T) { check(t, onSQLite(t)) }

func TestPublishedArrivesIfThePublisherIsKilledOnPostgreSQL(t *testing.T) {
	store := engine.PostgreSQL(t).NewStore(t)
	check(t, publishcrash.Trial{Name: "PostgreSQL", Store: store, Kills: *kills, Wait: *wait, Output: t.Output()})
}

func TestBrokenPublisherIsFound(t *testing.T) {
	for variant, want := range map[broken.Variant]string{
		broken.LosesOne:       "published events have not arrived",
		broken.SettlesEarly:   "published events have not arrived",
		broken.KeepsEndpoints: "after its endpoint was deleted",
		broken.RepeatsOne:     "settled twice",
		broken.Reorders:       "which was acknowledged before it was sent",
	} {
		t.Run(string(variant), func(t *testing.T) {
			trial := onSQLite(t)
			trial.Kills, trial.Lease, trial.Variant = 1, time.Second, variant
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
	trial.Tries = 1
	if _, err := trial.Run(t.Context()); !errors.Is(err, crash.ErrVacuous) {
		t.Errorf("got %v, want %v", err, crash.ErrVacuous)
	}
}
