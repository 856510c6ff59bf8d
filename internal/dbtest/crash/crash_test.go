package crash_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/crash"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
)

var (
	kills = flag.Int("kills", 5, "how often the receiver, or the database, is killed")
	wait  = flag.Duration("wait", 50*time.Millisecond, "how long a kill lets the load go on, at most")
)

func TestMain(m *testing.M) {
	crash.Main()
	os.Exit(m.Run())
}

func onSQLite(t *testing.T) crash.Trial {
	return crash.Trial{
		Name:   "SQLite",
		Driver: "sqlite",
		DSN: "file:" + filepath.Join(t.TempDir(), "inbox.db") +
			"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",
		Kills:  *kills,
		Wait:   *wait,
		Output: t.Output(),
	}
}

// hold runs the trial and judges it.
func hold(t *testing.T, trial crash.Trial) {
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

func TestAcknowledgedIsHandledThoughTheReceiverIsKilled(t *testing.T) {
	hold(t, onSQLite(t))
}

func TestAcknowledgedIsHandledThoughReceiverAndServerAreKilled(t *testing.T) {
	s, err := postgres.Start(t.Context())
	if errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true" {
		fmt.Println("left out:", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	hold(t, crash.Trial{Name: "PostgreSQL", Driver: "pgx", DSN: s.DSN(), Server: s, Kills: *kills, Wait: *wait, Output: t.Output()})
}

func TestABrokenInboxIsFound(t *testing.T) {
	for variant, want := range map[crash.Variant]string{
		crash.Hasty:     "acknowledged deliveries were never handled",
		crash.Careless:  "acknowledged deliveries were never handled",
		crash.Forgetful: "ran again",
		crash.Unordered: "which was acknowledged earlier",
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

func TestATrialWithoutAKillThatCountsFails(t *testing.T) {
	trial := onSQLite(t)
	trial.Clients, trial.Tries = 4, 5
	if _, err := trial.Run(t.Context()); !errors.Is(err, crash.ErrVacuous) {
		t.Errorf("got %v, want %v", err, crash.ErrVacuous)
	}
}
