package sqlstore

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestDialectsHaveTheSameStatements(t *testing.T) {
	lite, pg := dialects[sqlinbox.SQLite].queries, dialects[sqlinbox.PostgreSQL].queries
	if diff := cmp.Diff(slices.Sorted(maps.Keys(lite)), slices.Sorted(maps.Keys(pg))); diff != "" {
		t.Fatalf("names (-SQLite +PostgreSQL):\n%s", diff)
	}
	for name, q := range lite {
		if q.Text == "" {
			continue // nothing to do there
		}
		want := slices.Compact(slices.Sorted(slices.Values(q.Args)))
		got := slices.Compact(slices.Sorted(slices.Values(pg[name].Args)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("arguments of %s (-SQLite +PostgreSQL):\n%s", name, diff)
		}
	}
}

// The columns of a table are those of the same order, whatever the database.
func TestDialectsHaveTheSameColumns(t *testing.T) {
	column := regexp.MustCompile(`(?m)^  ([a-z_]+) `)
	columns := func(d *sqlinbox.Dialect) (names []string) {
		for _, m := range column.FindAllStringSubmatch(Schema(d), -1) {
			names = append(names, m[1])
		}
		return names
	}
	lite := columns(sqlinbox.SQLite)
	if diff := cmp.Diff(lite, columns(sqlinbox.PostgreSQL)); diff != "" || len(lite) < 25 {
		t.Errorf("%d columns (-SQLite +PostgreSQL):\n%s", len(lite), diff)
	}
}

// The package comment has each table with its columns.
func TestTheTablesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, doc, _ := strings.Cut(string(text), "# Tables")
	tables := strings.Split(Schema(sqlinbox.SQLite), "CREATE TABLE ")[1:]
	for _, table := range tables {
		name, definition, _ := strings.Cut(table, " (\n")
		definition, _, _ = strings.Cut(definition, "\n)")
		_, item, found := strings.Cut(doc, "//   - "+name+" ")
		item, _, _ = strings.Cut(item, "//   - ")
		if !found {
			t.Errorf("doc.go lacks the table %s", name)
		}
		for _, m := range regexp.MustCompile(`(?m)^  ([a-z_]+) `).FindAllStringSubmatch(definition, -1) {
			if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(item) {
				t.Errorf("doc.go lacks the column %s of %s", m[1], name)
			}
		}
	}
	if len(tables) != 4 {
		t.Errorf("%d tables", len(tables))
	}
}

func TestTheStatementsReadTheColumnsThatAreScanned(t *testing.T) {
	for dialect, d := range dialects {
		if text := d.queries.Get("endpoint").Text; !strings.HasPrefix(text, "SELECT "+rowColumns+" FROM") {
			t.Errorf("%s: %s", dialect, text)
		}
		qualified := "a." + strings.ReplaceAll(attemptColumns, ", ", ", a.")
		if text := d.queries.Get("last_attempts").Text; !strings.HasPrefix(text, "SELECT "+qualified) {
			t.Errorf("%s: %s", dialect, text)
		}
	}
}

func TestNewRefusesNil(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	New(nil)
}
