package dbtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// wantRefused fails unless every call of an inbox on the DSN returns an error, each
// time.
func wantRefused(t *testing.T, driver, dsn string, d *sqlinbox.Dialect) {
	t.Helper()
	in := sqlinbox.New(openDB(t, driver, dsn), d)
	t.Cleanup(func() { _ = in.Close() })
	for range 2 {
		for what, err := range map[string]error{
			"Migrate": in.Migrate(t.Context()), "Check": in.Check(t.Context()),
			"Ping": in.Ping(t.Context()), "Put": in.Put(t.Context(), delivery("key", "mark")),
		} {
			if err == nil {
				t.Errorf("%s returned no error", what)
			}
		}
	}
}

func TestAWrongDSNIsAnErrorAtOnce(t *testing.T) {
	folder := t.TempDir()
	for _, driver := range []string{"sqlite", "sqlite3"} {
		t.Run(driver+" of a folder", func(t *testing.T) { wantRefused(t, driver, "file:"+folder, sqlinbox.SQLite) })
		t.Run(driver+" with an unknown mode", func(t *testing.T) {
			wantRefused(t, driver, "file:"+filepath.Join(folder, "inbox.db")+"?mode=nonsense", sqlinbox.SQLite)
		})
	}
	t.Run("pgx that is no URL", func(t *testing.T) { wantRefused(t, "pgx", "postgres://%zz", sqlinbox.PostgreSQL) })
}

func TestAWrongDSNOfPostgresIsAnErrorAtOnce(t *testing.T) {
	onPostgres(t)
	dsn := databases.Server.DSN
	t.Run("pgx of another database", func(t *testing.T) {
		wantRefused(t, "pgx", strings.Replace(dsn(), "/postgres?", "/nowhere?", 1), sqlinbox.PostgreSQL)
	})
	t.Run("pgx of another user", func(t *testing.T) {
		wantRefused(t, "pgx", strings.Replace(dsn(), "hookhouse@", "stranger@", 1), sqlinbox.PostgreSQL)
	})
	t.Run("pgx of a missing schema", func(t *testing.T) {
		wantRefused(t, "pgx", dsn("search_path=nowhere"), sqlinbox.PostgreSQL)
	})
	t.Run("the dialect of another database", func(t *testing.T) {
		wantRefused(t, "pgx", dsn(), sqlinbox.SQLite)
	})
}

func TestAFileThatIsNoDatabaseIsAnErrorAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "note.txt")
	text := strings.Repeat("not a database\n", 500)
	must(t, os.WriteFile(file, []byte(text), 0o600))
	for _, driver := range []string{"sqlite", "sqlite3"} {
		for name, dsn := range map[string]string{
			"a text file":      "file:" + file,
			"a missing folder": "file:" + filepath.Join(t.TempDir(), "none", "inbox.db"),
		} {
			t.Run(driver+" "+name, func(t *testing.T) {
				in := sqlinbox.New(openDB(t, driver, dsn), sqlinbox.SQLite)
				t.Cleanup(func() { _ = in.Close() })
				if err := in.Migrate(t.Context()); err == nil {
					t.Error("Migrate returned no error")
				}
				if err := in.Put(t.Context(), delivery("")); err == nil {
					t.Error("Put returned no error")
				}
			})
		}
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != text {
		t.Errorf("the text file has changed: %v", err)
	}
	t.Run("a port that is closed", func(t *testing.T) {
		in := sqlinbox.New(openDB(t, "pgx", postgres.DSN(1, "connect_timeout=2")), sqlinbox.PostgreSQL)
		if err := in.Put(t.Context(), delivery("")); err == nil {
			t.Error("Put returned no error")
		}
	})
}
