package rules

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/hookhouse/hookhouse"

// top returns the folder of the root module.
func top(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// goCommand runs the go command in dir, without a workspace, and returns its output. It
// builds with the race detector if the tests do, so that nothing is compiled twice.
func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains([]string{"build", "vet"}, args[0]) && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = slices.Insert(slices.Clone(args), 1, "-race")
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return string(out)
}

// A pkg is the part of the output of go list that the tests need.
type pkg struct {
	ImportPath  string
	Dir         string
	Standard    bool
	GoFiles     []string
	TestGoFiles []string
	Imports     []string
	Deps        []string
}

// pkgFields are the fields of a pkg. If go list prints all that it knows, it takes twice
// as long.
const pkgFields = "-json=ImportPath,Dir,Standard,GoFiles,TestGoFiles,Imports,Deps"

// listed are the results of go list, by its arguments. The packages do not change while
// the tests run.
var listed = struct {
	mu  sync.Mutex
	all map[string][]pkg
}{all: make(map[string][]pkg)}

// packages returns the packages that go list prints in a folder.
func packages(t *testing.T, dir string, args ...string) []pkg {
	t.Helper()
	listed.mu.Lock()
	defer listed.mu.Unlock()
	key := dir + " " + strings.Join(args, " ")
	all, ok := listed.all[key]
	if !ok {
		out := json.NewDecoder(strings.NewReader(goCommand(t, dir, append([]string{"list", pkgFields}, args...)...)))
		for {
			var p pkg
			if err := out.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
		listed.all[key] = all
	}
	return slices.Clone(all)
}

// public returns the root module's packages that users may import.
func public(t *testing.T) []pkg {
	t.Helper()
	all := slices.DeleteFunc(packages(t, top(t), "./..."), func(p pkg) bool {
		return strings.Contains(p.ImportPath, "/internal/")
	})
	if len(all) < 8 {
		t.Fatalf("found only %d public packages", len(all))
	}
	return all
}

// room returns the path of a package in the module: "webhook/inboxtest".
func room(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

// textKinds are the ends of the names of files that people read.
var textKinds = []string{".go", ".md", ".sql", ".html", ".yaml", ".service", ".sh", "Makefile", "Dockerfile"}

// retiredLists are the files that list what is retired.
var retiredLists = []string{"internal/rules/retired_test.go", "internal/rules/words_test.go"}

// texts calls f with each text of the repository except retiredLists. The name is the
// path from the top, with slashes.
func texts(t *testing.T, f func(name, text string)) {
	t.Helper()
	read := 0
	err := filepath.WalkDir(top(t), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() && e.Name() == ".git" {
			return cmp.Or(err, error(fs.SkipDir))
		}
		name, _ := filepath.Rel(top(t), path)
		name = filepath.ToSlash(name)
		isText := slices.ContainsFunc(textKinds, func(kind string) bool { return strings.HasSuffix(name, kind) })
		if e.Type().IsRegular() && isText && !slices.Contains(retiredLists, name) {
			read++
			f(name, readFile(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 300 {
		t.Errorf("only %d texts read", read)
	}
}

// copyTree copies a folder.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
