package sqlinbox

import (
	"embed"
	"io/fs"
	"strconv"
	"strings"

	"github.com/hookhouse/hookhouse/internal/statement"
)

// A Dialect is one kind of database: its statements as text, the settings that it
// must have, and how the Inbox writes to it. Use [SQLite] or [PostgreSQL].
type Dialect struct {
	name     string
	files    string // folder of the schema versions
	syntax   statement.Syntax
	queries  statement.Set
	setup    []string  // run on the inbox's own connections, before their settings are checked
	raise    *raise    // run after setup
	empty    *raise    // run by Migrate, on a database without tables
	settings []setting // what the connection that writes must have
	migrate  []string  // run first in the transaction that migrates
	advice   string    // on how to get the settings
	// isError reports whether err can only be that of such a database.
	isError func(err error) bool

	// replayBytes bounds the bodies that one batch of a Replay moves, beyond the
	// first. Zero means no bound.
	replayBytes int64
	newEngine   func(t *tables, h host) engine
}

// dialects are all of them. The file of each adds its own.
var dialects []*Dialect

// A raise is a setting that is raised to what durability needs: text is run unless the
// value that query returns, in one row, is one of fine.
type raise struct {
	query string
	fine  []string
	text  string
}

// String returns the name of the database.
func (d *Dialect) String() string { return d.name }

//go:embed query schema
var sqlFiles embed.FS

// readQueries reads the statements of a database.
func readQueries(file string, s statement.Syntax) statement.Set {
	text, err := sqlFiles.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return statement.Read(string(text), s)
}

// versions returns the schema's steps: the first creates version 1, and the n-th leads
// from version n-1 to version n.
func (d *Dialect) versions() []string {
	var steps []string
	for n := 1; ; n++ {
		text := d.file(strconv.Itoa(n))
		if text == "" {
			return steps
		}
		steps = append(steps, text)
	}
}

// file returns a file of the schema, empty if there is none.
func (d *Dialect) file(name string) string {
	text, _ := fs.ReadFile(sqlFiles, "schema/"+d.files+"/"+name+".sql")
	return string(text)
}

// Schema returns the tables as text, for those who create them with a tool of their
// own. [Inbox.Migrate] runs the same text. A SQLite database of version 1 or 2 needs
// Migrate: the text alone drops its dedup keys, since SQLite cannot compute the hashes
// of version 3.
func Schema(d *Dialect) string { return strings.Join(d.versions(), "\n") }
