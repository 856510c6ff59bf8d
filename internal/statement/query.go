package statement

import (
	"strconv"
	"strings"
	"time"
)

// A Syntax is how a database writes what is a name in the text.
type Syntax struct {
	// Numbered arguments are $1, $2 and so on, one for each name. Otherwise each
	// place of a name is a question mark.
	Numbered bool
	// Now is the expression that @now becomes. If it is empty, @now is an argument:
	// the time of this process in microseconds.
	Now string
}

// A Query is the text as the driver takes it, and the name of each argument in
// order.
type Query struct {
	Text string
	Args []string
}

// Args are the values of a Query by name. If "now" is missing, it is the time of
// this process.
type Args map[string]any

// Compile turns each @name of the text into what the database takes in its place. A
// name has lower-case letters and underscores.
func Compile(text string, s Syntax) Query {
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
		case name == "now" && s.Now != "":
			b.WriteString(s.Now)
		case !s.Numbered:
			b.WriteByte('?')
			names = append(names, name)
		default:
			if numbers[name] == 0 {
				names = append(names, name)
				numbers[name] = len(names)
			}
			b.WriteString("$" + strconv.Itoa(numbers[name]))
		}
		b.WriteString(part[end:])
	}
	return Query{Text: b.String(), Args: names}
}

// Bind returns the values in the order of q. It panics if one is missing, which
// every test of the statement finds.
func (q Query) Bind(a Args) []any {
	values := make([]any, len(q.Args))
	for i, name := range q.Args {
		v, ok := a[name]
		if !ok && name == "now" {
			v, ok = time.Now().UnixMicro(), true
		}
		if !ok {
			panic("statement: query lacks argument " + name)
		}
		values[i] = v
	}
	return values
}

// A Set is queries by name.
type Set map[string]Query

// Get returns the query of that name. It panics if there is none: an empty Query
// would do nothing.
func (s Set) Get(name string) Query {
	q, ok := s[name]
	if !ok {
		panic("statement: there is no query " + name)
	}
	return q
}

// Read reads sections that begin with a line "-- name: x". It leaves out lines that
// are comments. A section may be empty: this database has nothing to do there.
func Read(text string, s Syntax) Set {
	set := make(Set)
	for _, section := range strings.Split("\n"+text, "\n-- name: ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		set[name] = Compile(withoutComments(body), s)
	}
	return set
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
