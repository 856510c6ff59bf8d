package fault_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
)

func TestMain(m *testing.M) { engine.Main(m, engine.Memory()) }

// onEach runs f on SQLite and on PostgreSQL.
func onEach(t *testing.T, f func(t *testing.T, e engine.Engine)) {
	engines := []engine.Engine{engine.Modernc}
	if engine.Server != nil {
		// These tests are not about flushes: only what the inbox insists on waits
		// for one.
		engines = append(engines, engine.OnServer(engine.Server, "synchronous_commit=off"))
	}
	for _, e := range engines {
		t.Run(e.Name, func(t *testing.T) { f(t, e) })
	}
}

// must ends the test if err is not nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
