package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// goCommand runs the go command in dir, outside any workspace, and returns what
// it prints.
func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
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

// A pkg is what go list tells of a package.
type pkg struct {
	ImportPath  string
	Dir         string
	Standard    bool
	GoFiles     []string
	TestGoFiles []string
	Imports     []string
	Deps        []string
}

// packages lists the packages below a folder.
func packages(t *testing.T, dir string, args ...string) []pkg {
	t.Helper()
	out := json.NewDecoder(strings.NewReader(goCommand(t, dir, append([]string{"list", "-json"}, args...)...)))
	var all []pkg
	for {
		var p pkg
		if err := out.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// public returns the root module's packages that users may import.
func public(t *testing.T) []pkg {
	t.Helper()
	all := slices.DeleteFunc(packages(t, top(t), "./..."), func(p pkg) bool {
		return strings.Contains(p.ImportPath, "/internal/")
	})
	if len(all) < 8 {
		t.Fatalf("only %d public packages found", len(all))
	}
	return all
}

// room is a package's path below the module: "webhook/inboxtest".
func room(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

// copyTree copies regular files.
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
