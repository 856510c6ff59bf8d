// Package samples has what the tests of the senders share: the bodies that they decode,
// which are the files in the testdata of a package and real bodies in a folder above the
// repository if there is one, and the deliveries of genuine calls.
package samples

import (
	"os"
	"path/filepath"
	"testing"
)

// Shared returns the files that match pattern in a folder shared/fixtures above the
// working directory, the nearest with such files. If there is none, it returns nil.
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

// Bodies returns the content of the JSON files in testdata and of the files of
// [Shared], by file name. If testdata has no JSON files, the test fails.
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
