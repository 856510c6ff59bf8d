package dbtest

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A program of an earlier schema that is killed, or loses its server, right before Migrate
// commits leaves that version whole.
func TestACrashInMigrateLeavesTheEarlierVersionWhole(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		for name, text := range earlierVersions(t, e.Dialect) {
			t.Run(name, func(t *testing.T) {
				driver, dsn := e.store(t)
				before := openDB(t, driver, dsn)
				run(t, before, text)
				tables := contents(t, before, name)
				db, plan, err := fault.Open(driver, dsn)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				left := dsn
				reached := beforeNth(plan, 1, func(what string) bool { return strings.HasSuffix(what, "COMMIT") }, func() { left = crash(t, e, before, dsn) })
				in := sqlinbox.New(db, e.Dialect)
				t.Cleanup(func() { _ = in.Close() })
				if err := in.Migrate(t.Context()); err != nil && e.Dialect == sqlinbox.SQLite {
					t.Fatal(err) // a copy of its files is what the crash left
				}
				if !reached() {
					t.Fatal("Migrate did not commit")
				}
				after := openDB(t, driver, left)
				if diff := cmp.Diff(tables, contents(t, after, name)); diff != "" {
					t.Fatalf("after the crash (-before +after):\n%s", diff)
				}
				again, _ := e.reopen(t, driver, left)
				if s := stateOf(t, again, "u-behind"); s != webhook.Blocked {
					t.Errorf("u-behind is %s, want blocked", s)
				}
			})
		}
	})
}

// crash ends what migrates the store: on PostgreSQL its session, on SQLite it copies
// the files as a kill would leave them. It returns the DSN of what is left.
func crash(t *testing.T, e engine, db *sql.DB, dsn string) string {
	t.Helper()
	if e.Dialect == sqlinbox.PostgreSQL {
		var gone bool
		err := db.QueryRowContext(t.Context(), `SELECT coalesce(bool_and(pg_terminate_backend(pid, 10000)), false) FROM pg_locks
			WHERE locktype = 'advisory' AND pid <> pg_backend_pid()`).Scan(&gone)
		if err != nil || !gone {
			t.Errorf("the session that migrates is not gone: %v", err)
		}
		return dsn
	}
	file, settings, _ := strings.Cut(strings.TrimPrefix(dsn, "file:"), "?")
	folder := t.TempDir()
	for _, end := range []string{"", "-wal"} {
		text, err := os.ReadFile(file + end)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "inbox.db"+end), text, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	return "file:" + filepath.Join(folder, "inbox.db") + "?" + settings
}

// contents are the rows of the tables of the version in the name of a file, and their
// columns.
func contents(t *testing.T, db *sql.DB, name string) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	tables := []string{"schema", "deliveries", "bodies", "marks", "replays"}
	if keptAttempts(name) {
		tables = []string{"schema", "deliveries", "bodies", "dedup_keys", "replays", "attempts"}
	}
	if strings.Contains(name, "-4") {
		tables = append(tables, "pauses")
	}
	for _, table := range tables {
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM hookhouse_"+table+" ORDER BY 1, 2, 3")
		if table == "schema" {
			rows, err = db.QueryContext(t.Context(), "SELECT * FROM hookhouse_schema")
		}
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		all[table] = append(all[table], strings.Join(columns, " "))
		for err == nil && rows.Next() {
			values := make([]sql.Null[[]byte], len(columns))
			places := make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			err = rows.Scan(places...)
			var row []string
			for _, v := range values {
				row = append(row, string(v.V))
			}
			all[table] = append(all[table], strings.Join(row, "|"))
		}
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
