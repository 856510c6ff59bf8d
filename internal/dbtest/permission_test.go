package dbtest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A file that may not be written is moot for root; a file that is opened to be
// read is not.
func TestAReadOnlyDatabaseTakesNothing(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.name, func(t *testing.T) {
			driver, dsn := e.store(t)
			in, db := e.reopen(t, driver, dsn)
			put(t, in, delivery(""))
			ro := sqlinbox.New(openDB(t, driver, dsn+"&mode=ro"), e.dialect)
			t.Cleanup(func() { _ = ro.Close() })
			for what, err := range map[string]error{"Ping": ro.Ping(t.Context()), "Put": ro.Put(t.Context(), delivery("", "mark"))} {
				if err == nil {
					t.Errorf("%s returned no error", what)
				}
			}
			unchanged(t, db, 1)
		})
	}
}

// unchanged checks that n deliveries and their bodies are stored, and no dedup key.
func unchanged(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	for table, want := range map[string]int{"hookhouse_deliveries": n, "hookhouse_bodies": n, "hookhouse_dedup_keys": 0} {
		if got := count(t, db, table); got != want {
			t.Errorf("%s has %d rows, want %d", table, got, want)
		}
	}
}

func TestARoleWithoutRightsTakesNothing(t *testing.T) {
	if theServer == nil {
		return // and TestMain said so
	}
	e := onPostgres(theServer)
	for i, test := range []struct{ name, rights string }{
		{"none", ""},
		{"to read", "SELECT"},
		{"to write some of the tables", "SELECT, INSERT, UPDATE, DELETE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			driver, dsn := e.store(t)
			in, db := e.reopen(t, driver, dsn)
			put(t, in, delivery(""))
			role := fmt.Sprint("guest", i)
			var schema string
			if err := db.QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema); err != nil {
				t.Fatal(err)
			}
			run(t, db, "CREATE ROLE "+role+" LOGIN")
			t.Cleanup(func() {
				if _, err := db.Exec("DROP OWNED BY " + role + "; DROP ROLE " + role); err != nil {
					t.Error(err)
				}
			})
			run(t, db, "GRANT USAGE ON SCHEMA "+schema+" TO "+role)
			if test.rights != "" {
				run(t, db, "GRANT "+test.rights+" ON hookhouse_schema, hookhouse_deliveries, hookhouse_bodies TO "+role)
				run(t, db, "GRANT USAGE ON SEQUENCE hookhouse_ids TO "+role)
			}
			guest := sqlinbox.New(openDB(t, driver, strings.Replace(dsn, "hookhouse@", role+"@", 1)), e.dialect)
			for range 2 {
				err := guest.Put(t.Context(), delivery("key", "mark"))
				if err == nil || !strings.Contains(err.Error(), "permission denied") {
					t.Errorf("Put returned %v, want that permission is denied", err)
				}
			}
			unchanged(t, db, 1)
		})
	}
}

func TestAMissingTableStoresNothingByHalves(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for _, table := range []string{"hookhouse_bodies", "hookhouse_dedup_keys", "hookhouse_deliveries"} {
			in, db := e.open(t)
			put(t, in, delivery("key"))
			run(t, db, "ALTER TABLE "+table+" RENAME TO lost")
			for range 2 {
				if err := in.Put(t.Context(), delivery("key", "mark")); err == nil {
					t.Errorf("Put without %s returned no error", table)
				}
			}
			if table != "hookhouse_dedup_keys" { // which Claim does not need
				if _, err := in.Claim(t.Context(), webhook.ClaimOptions{}); err == nil {
					t.Errorf("Claim without %s returned no error", table)
				}
			}
			run(t, db, "ALTER TABLE lost RENAME TO "+table)
			unchanged(t, db, 1)
			put(t, in, delivery("key", "mark")) // as if nothing had been
			if c := claimOne(t, in); c.Attempt != 1 {
				t.Errorf("without %s the attempts were %d, want 1", table, c.Attempt)
			}
		}
	})
}
