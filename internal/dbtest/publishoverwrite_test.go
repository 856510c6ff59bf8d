package dbtest

import (
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// Reseal overwrites the clear text that it replaces, as far as SQLite does that, and VACUUM and
// a checkpoint remove the rest. The connection deletes as it did before.
func TestResealOverwritesClearTextOnSQLite(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			driver, dsn := e.store(t)
			in, db := e.reopen(t, driver, dsn)
			clear, _ := loggedStore(t, in)
			must(t, clear.Migrate(t.Context()))
			for _, id := range []string{"ep1", "ep2", "ep3"} {
				ep := endpoint(id, "*")
				ep.Meta["large"] = strings.Repeat("very-secret-overflow ", 500) // has pages of its own
				createEndpoint(t, clear, ep)
			}
			if n := secretsOnDisk(t, db); n == 0 {
				t.Fatal("the test does not find clear text that is there")
			}
			db.SetMaxOpenConns(2) // the one that writes, and one for all else
			s, _ := loggedStore(t, in, sealKey("new"))
			before := pragma(t, db)
			if n, err := s.Reseal(t.Context()); n != 3 || err != nil {
				t.Fatalf("Reseal returned %d, %v", n, err)
			}
			if after := pragma(t, db); after != before {
				t.Errorf("secure_delete is %d, and was %d before", after, before)
			}
			if n := secretsOnDisk(t, db) * len("very-secret-overflow "); n > 4096 {
				t.Errorf("the file has %d bytes of clear text, want at most those in one page that moved", n)
			}
			run(t, db, "VACUUM")
			if n := secretsOnDisk(t, db); n != 0 {
				t.Errorf("after VACUUM the file has clear text in %d places", n)
			}
			got, err := s.Get(t.Context(), "ep2")
			if err != nil || len(got.Meta["large"]) != 500*len("very-secret-overflow ") || got.State != publish.Active {
				t.Errorf("Get returned %v, %v", got, err)
			}
		})
	}
}

func pragma(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	must(t, db.QueryRowContext(t.Context(), "PRAGMA secure_delete").Scan(&n))
	return n
}

// secretsOnDisk returns how often clear text is in the files, when the log is written back.
func secretsOnDisk(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	var busy, logged, copied int
	must(t, db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &copied))
	var seq int
	var name, file string
	must(t, db.QueryRowContext(t.Context(), "PRAGMA database_list").Scan(&seq, &name, &file))
	for _, end := range []string{"", "-wal"} {
		text, err := os.ReadFile(file + end)
		if err != nil && end == "" {
			t.Fatal(err)
		}
		n += strings.Count(string(text), "very-secret")
	}
	return n
}
