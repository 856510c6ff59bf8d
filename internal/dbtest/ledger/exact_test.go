package ledger_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/process"
)

var deliveries = flag.Int("deliveries", defaultDeliveries, "number of deliveries in each trial")

func TestMain(m *testing.M) {
	process.Main(func(ctx context.Context, c workerConfig) error { return c.run(ctx) })
	engine.Main(m, engine.Memory())
}

// onSQLite returns a store whose writers wait for each other for long.
func onSQLite(t *testing.T) engine.Store {
	dsn := engine.SQLiteDSN(filepath.Join(t.TempDir(), "inbox.db"))
	return engine.Store{Driver: "sqlite", DSN: strings.Replace(dsn, "busy_timeout(5000)", "busy_timeout(60000)", 1)}
}

func TestEveryDeliveryIsAccountedFor(t *testing.T) {
	for name, newStore := range map[string]func(t *testing.T) engine.Store{
		"SQLite":     onSQLite,
		"PostgreSQL": func(t *testing.T) engine.Store { return engine.PostgreSQL(t).NewStore(t) },
	} {
		for _, processes := range []int{0, 2} {
			t.Run(fmt.Sprintf("%s, %d worker processes", name, processes), func(t *testing.T) {
				tr := newTrial(t, newStore(t))
				tr.processes = processes
				start := time.Now()
				total := tr.run(t, *deliveries)
				if faults := tr.book.Faults; len(faults) > 0 {
					t.Fatalf("%v: %d faults; the first: %q", total, len(faults), faults[:min(len(faults), 10)])
				}
				t.Logf("%v: exact, in %v", total, time.Since(start).Round(10*time.Millisecond))
			})
		}
	}
}
