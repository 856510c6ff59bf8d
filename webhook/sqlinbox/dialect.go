package sqlinbox

import (
	"embed"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// A Dialect is what the SQL of one kind of database looks like: text, not
// code. Use [SQLite] or [PostgreSQL].
type Dialect struct {
	name     string
	files    string // folder of the schema versions
	queries  map[string]query
	setup    []string      // run on the writing connection before settings are checked
	raise    *raise        // run after setup
	empty    *raise        // run by Migrate, on a database without tables
	hurried  string        // do not wait for another writer; run before each transaction
	patient  string        // wait for what a transaction that writes may meet
	settings []setting     // what the writing connection must have
	pinned   bool          // one connection writes, in batches of everything
	clock    string        // the server's time in microseconds; empty: Go's
	patience time.Duration // for one batch; zero: the database bounds it itself
	migrate  []string      // run first in the transaction that migrates
	advice   string        // on how to get the settings
}

// A setting is refused unless its value, which must be in one row, is allowed.
type setting struct {
	query   string
	allowed []string
	advice  string
}

// A raise changes a setting, unless its value, which must be in one row, is fine.
type raise struct {
	query string
	fine  []string
	text  string
}

// SQLite is SQLite 3.38 or later. The *sql.DB must allow at least two
// connections: the inbox keeps one to write.
var SQLite = &Dialect{
	name:    "SQLite",
	files:   "sqlite",
	queries: readQueries("query/sqlite.sql", ""),
	pinned:  true,
	setup:   []string{"PRAGMA busy_timeout = 5000", "PRAGMA wal_autocheckpoint = 1000"},
	// Set even where it reads FULL: a driver may have another default for WAL, which
	// takes effect later.
	raise: &raise{"SELECT synchronous FROM pragma_synchronous", []string{"3"}, "PRAGMA synchronous = FULL"},
	// A file that is new has a journal that is deleted, unless the program has set
	// another. With EXTRA the program has chosen it.
	empty: &raise{`SELECT CASE WHEN journal_mode = 'delete' AND synchronous < 3 AND NOT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table')
		THEN 'new' ELSE journal_mode END FROM pragma_journal_mode, pragma_synchronous`,
		[]string{"wal", "truncate", "persist", "delete", "memory", "off"}, "PRAGMA journal_mode = WAL"},
	hurried: "PRAGMA busy_timeout = 0",
	patient: "PRAGMA busy_timeout = 5000",
	advice:  sqliteAdvice,
	settings: []setting{
		{"SELECT CASE synchronous WHEN 0 THEN '0 (OFF)' WHEN 1 THEN '1 (NORMAL)' ELSE synchronous END FROM pragma_synchronous", []string{"2", "3"}, "synchronous must be FULL or EXTRA"},
		// The name of a deleted journal is gone for certain only with EXTRA; before,
		// a power loss may bring it back, and it undoes what was committed.
		{`SELECT CASE WHEN journal_mode = 'delete' AND synchronous < 3 THEN 'DELETE without synchronous EXTRA' ELSE journal_mode END
			FROM pragma_journal_mode, pragma_synchronous`,
			[]string{"wal", "truncate", "persist", "delete"}, "journal_mode must be WAL, or another that survives a power loss"},
	},
}

// PostgreSQL is PostgreSQL 13 or later, by any driver of database/sql.
var PostgreSQL = &Dialect{
	name:     "PostgreSQL",
	files:    "postgres",
	queries:  readQueries("query/postgres.sql", serverClock),
	clock:    serverClock,
	patience: 15 * time.Second,
	settings: []setting{
		{"SELECT current_setting('fsync')", []string{"on"}, "fsync must be on"},
		{"SELECT current_setting('full_page_writes')", []string{"on"}, "full_page_writes must be on"},
		{"SELECT current_setting('server_encoding')", []string{"UTF8"}, "the database must be encoded in UTF8"},
	},
	migrate: []string{"SELECT pg_advisory_xact_lock(7741962880473)"},
}

const serverClock = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"

// String returns the name of the database.
func (d *Dialect) String() string { return d.name }

//go:embed query schema
var sqlFiles embed.FS

// A query is the text as the driver takes it, and the name of each argument in
// order.
type query struct {
	text string
	args []string
}

// args are the values of a query by name. "now" is the inbox's own affair.
type args map[string]any

// bind returns the arguments in the order of q. It panics on one that is
// missing, which every test would find.
func (q query) bind(a args) []any {
	values := make([]any, len(q.args))
	for i, name := range q.args {
		v, ok := a[name]
		if !ok && name == "now" {
			v, ok = time.Now().UnixMicro(), true
		}
		if !ok {
			panic("sqlinbox: query lacks argument " + name)
		}
		values[i] = v
	}
	return values
}

// readQueries reads a file of "-- name: x" sections. With a clock, arguments
// are numbered and @now becomes the clock; otherwise each is a question mark.
func readQueries(file, clock string) map[string]query {
	text, err := sqlFiles.ReadFile(file)
	if err != nil {
		panic(err)
	}
	queries := make(map[string]query)
	for _, section := range strings.Split("\n"+string(text), "\n-- name: ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		queries[name] = compile(withoutComments(body), clock)
	}
	return queries
}

func withoutComments(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, ""))
}

// compile turns @name into what the database takes in its place.
func compile(text, clock string) query {
	parts := strings.Split(text, "@")
	var b strings.Builder
	b.WriteString(parts[0])
	var names []string
	numbers := make(map[string]int)
	for _, part := range parts[1:] {
		end := strings.IndexFunc(part, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })
		if end < 0 {
			end = len(part)
		}
		name := part[:end]
		switch {
		case clock == "":
			b.WriteByte('?')
			names = append(names, name)
		case name == "now":
			b.WriteString(clock)
		default:
			if numbers[name] == 0 {
				names = append(names, name)
				numbers[name] = len(names)
			}
			b.WriteString("$" + strconv.Itoa(numbers[name]))
		}
		b.WriteString(part[end:])
	}
	return query{text: b.String(), args: names}
}

// versions returns the schema's steps: the n-th leads from version n to n+1.
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

// Schema returns the tables as text, for those who create them with a tool of
// their own. [Inbox.Migrate] runs the same text.
func Schema(d *Dialect) string { return strings.Join(d.versions(), "\n") }
