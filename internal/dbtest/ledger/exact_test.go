package ledger

import (
	"testing"
	"time"
)

func TestEveryDeliveryIsAccountedFor(t *testing.T) {
	for _, test := range []struct {
		name      string
		store     func(t *testing.T) store
		processes int
		postgres  bool
	}{
		{"SQLite, one process", newSQLite, 0, false},
		{"SQLite, two worker processes", newSQLite, 2, false},
		{"PostgreSQL, one process", newPostgres, 0, true},
		{"PostgreSQL, two worker processes", newPostgres, 2, true},
	} {
		if theServer == nil && test.postgres {
			continue // and TestMain said so
		}
		t.Run(test.name, func(t *testing.T) {
			tr := newTrial(t, test.store(t))
			tr.processes = test.processes
			start := time.Now()
			total := tr.run(t, *deliveries)
			if len(tr.faults.all) > 0 {
				t.Fatalf("%s: %v: %v", test.name, total, tr.faults)
			}
			t.Logf("%s: %v: exact, in %v", test.name, total, time.Since(start).Round(10*time.Millisecond))
		})
	}
}
