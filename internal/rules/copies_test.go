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
	"admin.go", "jsonline.go", "metrics.go", "overtaking.go", "secret.go", "secrets.go", "server.go", "store.go", "version.go",
}

// ownFiles are files of programs that have the name of a shared file and differ from it.
var ownFiles = []string{
	"dockerhub-deploy/metrics.go", "dockerhub-deploy/store.go",
	"github-ci/metrics.go", "github-ci/secrets.go", "github-ci/store.go",
}

func TestSharedFilesOfExamplesAreCopies(t *testing.T) {
	for _, fault := range copyFaults(t, filepath.Join(top(t), "examples"), ownFiles) {
		t.Error(fault)
	}
}

// copyFaults returns the faults of the shared files in the folders of dir.
func copyFaults(t *testing.T, dir string, own []string) (faults []string) {
	t.Helper()
	for _, name := range sharedFiles {
		paths, err := filepath.Glob(filepath.Join(dir, "*", name))
		if err != nil {
			t.Fatal(err)
		}
		rel := func(path string) string {
			return filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator)))
		}
		paths = slices.DeleteFunc(paths, func(path string) bool { return slices.Contains(own, rel(path)) })
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
	for _, name := range own {
		if !exists(filepath.Join(dir, name)) {
			faults = append(faults, name+": does not exist: remove it from ownFiles")
		}
	}
	return faults
}

func TestChangedCopyIsFound(t *testing.T) {
	dir := t.TempDir()
	copyTree(t, filepath.Join(top(t), "examples"), dir)
	if got := copyFaults(t, dir, ownFiles); len(got) > 0 {
		t.Fatalf("before the change: %q", got)
	}
	changed := filepath.Join(dir, "transactional", "secrets.go")
	writeFile(t, changed, strings.Replace(readFile(t, changed), "minSecret = 16", "minSecret = 15", 1))
	want := []string{"transactional/secrets.go: differs from durable/secrets.go: change one and copy it to the others", "gone/store.go: does not exist: remove it from ownFiles"}
	if got := copyFaults(t, dir, append([]string{"gone/store.go"}, ownFiles...)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
