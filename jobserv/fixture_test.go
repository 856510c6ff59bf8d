package jobserv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixture returns a file of testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// builds returns every notification that can be found: those of testdata, and
// those of a directory shared/fixtures next to the repository, if there is one.
func builds(t testing.TB) map[string][]byte {
	t.Helper()
	own, err := filepath.Glob(filepath.Join("testdata", "build.*.json"))
	if err != nil || len(own) < 6 {
		t.Fatalf("got %d files of testdata and %v, want 6 at least", len(own), err)
	}
	shared := sharedBuilds(t)
	t.Logf("%d shared fixtures", len(shared))
	all := make(map[string][]byte)
	for _, path := range append(own, shared...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if !strings.HasPrefix(path, "testdata") {
			name = "shared " + name
		}
		all[name] = text
	}
	return all
}

func sharedBuilds(t testing.TB) []string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		found, _ := filepath.Glob(filepath.Join(dir, "shared", "fixtures", "jobserv", "build.*.json"))
		parent := filepath.Dir(dir)
		if len(found) > 0 || parent == dir {
			return found
		}
		dir = parent
	}
}
