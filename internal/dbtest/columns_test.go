package dbtest

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The section "Tables" of the package documentation names every table and column of
// the current version, and both databases have the same ones.
func TestTheDocumentationNamesEveryColumn(t *testing.T) {
	text, err := os.ReadFile("../../webhook/sqlinbox/doc.go")
	must(t, err)
	_, section, _ := strings.Cut(string(text), "// # Tables\n")
	section, _, _ = strings.Cut(section, "// # ")
	items := make(map[string]string)
	for _, item := range strings.Split(section, "//   - ")[1:] {
		name, _, _ := strings.Cut(item, " ")
		items[name] = item
	}
	onEach(t, func(t *testing.T, e engine) {
		_, db := e.open(t)
		query := "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
		if e.Dialect.String() == "PostgreSQL" {
			query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
		}
		rows, err := db.QueryContext(t.Context(), query)
		must(t, err)
		defer rows.Close()
		n := 0
		for rows.Next() {
			var table, column string
			must(t, rows.Scan(&table, &column))
			n++
			if table == "hookhouse_bodies" && column == "id" {
				column = "by the id"
			}
			if !regexp.MustCompile(`\b` + column + `\b`).MatchString(items[table]) {
				t.Errorf("the documentation lacks %s.%s", table, column)
			}
		}
		must(t, rows.Err())
		if n < 40 {
			t.Errorf("%d columns, want all", n)
		}
	})
}
