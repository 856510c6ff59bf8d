package rules

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sharedFiles are the files that several example programs have, each as a copy, because
// a program is copied out as one folder.
var sharedFiles = []string{
	"admin.go", "broker.go", "explained.go", "flags.go", "inspect.go", "inspect_test.go", "jsonline.go", "missed.go", "output_test.go", "overtaking.go", "postgres_linux_test.go", "postgres_other_test.go", "postgres_test.go",
	"process_test.go", "rabbitmq_linux_test.go", "rabbitmq_other_test.go", "rabbitmq_test.go", "secret.go", "secretlines.go", "secrets.go", "server.go", "startup_test.go", "store.go", "version.go",
}

func TestSharedFilesOfExamplesAreCopies(t *testing.T) {
	for _, fault := range copyFaults(t, filepath.Join(top(t), "examples")) {
		t.Error(fault)
	}
}

// copyFaults returns the faults of the shared files in the folders of dir.
func copyFaults(t *testing.T, dir string) (faults []string) {
	t.Helper()
	for _, name := range sharedFiles {
		paths, err := filepath.Glob(filepath.Join(dir, "*", name))
		if err != nil {
			t.Fatal(err)
		}
		rel := func(path string) string {
			return filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator)))
		}
		if len(paths) < 2 {
			faults = append(faults, name+": is in fewer than two programs: remove it from sharedFiles")
			continue
		}
		first := readFile(t, paths[0])
		for _, path := range paths[1:] {
			if readFile(t, path) != first {
				faults = append(faults, rel(path)+": differs from "+rel(paths[0])+": change one and copy it to the others")
			}
		}
	}
	return faults
}

func TestChangedCopyIsFound(t *testing.T) {
	dir := t.TempDir()
	copyTree(t, filepath.Join(top(t), "examples"), dir)
	if got := copyFaults(t, dir); len(got) > 0 {
		t.Fatalf("before the change: %q", got)
	}
	changed := filepath.Join(dir, "transactional", "secrets.go")
	writeFile(t, changed, strings.Replace(readFile(t, changed), "minSecret = 16", "minSecret = 15", 1))
	want := []string{"transactional/secrets.go: differs from dockerhub-deploy/secrets.go: change one and copy it to the others"}
	if got := copyFaults(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
