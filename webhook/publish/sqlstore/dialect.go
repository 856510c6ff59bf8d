package sqlstore

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A dialect is what is data about a kind of database.
type dialect struct {
	files   string // folder of the schema versions
	syntax  statement.Syntax
	queries statement.Set
	// list is the rows of a list, which is an argument in JSON, with %s for that.
	list string
}

var dialects = map[*sqlinbox.Dialect]*dialect{
	sqlinbox.SQLite:     newDialect("sqlite", statement.Syntax{}, "SELECT value FROM json_each(%s)"),
	sqlinbox.PostgreSQL: newDialect("postgres", statement.Syntax{Numbered: true}, "SELECT jsonb_array_elements_text(%s::text::jsonb)"),
}

//go:embed query schema
var sqlFiles embed.FS

func newDialect(files string, s statement.Syntax, list string) *dialect {
	text, err := sqlFiles.ReadFile("query/" + files + ".sql")
	if err != nil {
		panic(err)
	}
	return &dialect{files: files, syntax: s, queries: statement.Read(string(text), s), list: list}
}

// isIn is the condition that a column is one of the list that the argument has.
func (d *dialect) isIn(column, arg string) string {
	return column + " IN (" + fmt.Sprintf(d.list, "@"+arg) + ")"
}

// versions returns the schema's steps: the first creates version 1, and the n-th leads from
// version n-1 to version n.
func (d *dialect) versions() (steps []string) {
	for {
		text, err := fs.ReadFile(sqlFiles, "schema/"+d.files+"/"+strconv.Itoa(len(steps)+1)+".sql")
		if err != nil {
			return steps
		}
		steps = append(steps, string(text))
	}
}

// Schema returns the tables as text, for those who create them with a tool of their own.
// [Store.Migrate] runs the same text. It panics if d is nil.
func Schema(d *sqlinbox.Dialect) string { return strings.Join(dialectOf(d).versions(), "\n") }

func dialectOf(d *sqlinbox.Dialect) *dialect {
	own := dialects[d]
	if own == nil {
		panic("sqlstore: there are no statements for " + d.String())
	}
	return own
}
