// Package samples finds the bodies that tests decode: those in the testdata of a
// package, and real ones in a folder beside the repository where there is one.
package samples

import (
	"os"
	"path/filepath"
	"testing"
)

// Shared returns the files that match pattern in the nearest folder
// shared/fixtures above the working directory. There may be none.
func Shared(tb testing.TB, pattern string) []string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		files, err := filepath.Glob(filepath.Join(dir, "shared", "fixtures", pattern))
		if err != nil {
			tb.Fatal(err)
		}
		parent := filepath.Dir(dir)
		if len(files) > 0 || parent == dir {
			tb.Logf("%d shared fixtures", len(files))
			return files
		}
		dir = parent
	}
}

// Bodies returns the JSON files in testdata, of which there must be some, and
// those of [Shared] by file name.
func Bodies(tb testing.TB, pattern string) map[string][]byte {
	tb.Helper()
	own, err := filepath.Glob("testdata/*.json")
	if err != nil || len(own) == 0 {
		tb.Fatalf("testdata: %d files, %v", len(own), err)
	}
	bodies := make(map[string][]byte)
	for _, name := range append(own, Shared(tb, pattern)...) {
		body, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		bodies[filepath.Base(name)] = body
	}
	return bodies
}
