package postgres_test

import (
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
)

func TestMain(m *testing.M) { engine.Main(m, "") }

func TestCommitSurvivesAKilledServer(t *testing.T) {
	db := engine.PostgreSQL(t).NewStore(t).DB(t)
	s := engine.Server
	if _, err := db.Exec("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	before := s.PID()
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(); err == nil {
		t.Error("a killed server answers")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.PID() == before {
		t.Error("it is the same process")
	}
	var n int
	if err := db.QueryRow("SELECT n FROM kept").Scan(&n); err != nil || n != 7 {
		t.Errorf("after the kill: %d, %v", n, err)
	}
}
