package model

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
)

var (
	serverClock = regexp.MustCompile(`\(extract\(epoch FROM \w+\(\)\) \* 1000000\)::bigint`)
	parameters  = regexp.MustCompile(`\$\d+|@[a-z_]+`)
	blanks      = regexp.MustCompile(`\s+`)
)

// normalize removes from a statement what depends on how it is sent.
func normalize(text string) string {
	text = parameters.ReplaceAllString(serverClock.ReplaceAllString(text, "?"), "?")
	return strings.TrimSpace(blanks.ReplaceAllString(text, " "))
}

// statementNames returns the names of the inbox's statements by their normalized
// text, from its SQL file.
var statementNames = sync.OnceValue(func() map[string]string {
	found := make(map[string]string)
	file, err := os.ReadFile("../../../webhook/sqlinbox/query/postgres.sql")
	if err != nil {
		panic(err)
	}
	for _, section := range strings.Split("\n"+string(file), "\n-- name: ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		var lines []string
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(strings.TrimSpace(line), "--") {
				lines = append(lines, line)
			}
		}
		found[normalize(strings.Join(lines, ""))] = name
	}
	return found
})

var nameCache sync.Map // by text

// nameOf returns the name of a statement, or its beginning if it has none.
func nameOf(text string) string {
	if name, ok := nameCache.Load(text); ok {
		return name.(string)
	}
	name, ok := statementNames()[normalize(text)]
	if !ok {
		name = normalize(text)
		name = name[:min(len(name), 60)]
	}
	nameCache.Store(text, name)
	return name
}

// known returns the names. It panics if a statement has another name by now: then
// nothing would ever be preempted before it.
func known(names ...string) []string {
	all := slices.Collect(maps.Values(statementNames()))
	for _, name := range names {
		if !slices.Contains(all, name) {
			panic("model: the inbox has no statement " + name)
		}
	}
	return names
}
