package model

import (
	"os"
	"regexp"
	"strings"
	"sync"
)

var (
	serverClock = regexp.MustCompile(`\(extract\(epoch FROM \w+\(\)\) \* 1000000\)::bigint`)
	parameters  = regexp.MustCompile(`\$\d+|@[a-z_]+`)
	blanks      = regexp.MustCompile(`\s+`)
)

// bare is a statement without what depends on how it is sent.
func bare(text string) string {
	text = parameters.ReplaceAllString(serverClock.ReplaceAllString(text, "?"), "?")
	return strings.TrimSpace(blanks.ReplaceAllString(text, " "))
}

// names are the names of the inbox's own statements by their bare text, as its
// file has them.
var names = sync.OnceValue(func() map[string]string {
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
		found[bare(strings.Join(lines, ""))] = name
	}
	return found
})

var named sync.Map // by text

// nameOf names a statement: by the inbox's file, or by its beginning.
func nameOf(text string) string {
	if name, ok := named.Load(text); ok {
		return name.(string)
	}
	name, ok := names()[bare(text)]
	if !ok {
		name = bare(text)
		name = name[:min(len(name), 60)]
	}
	named.Store(text, name)
	return name
}
