package rules

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// consumerModules is the module list of a program that requires this module. Only
// x/sync is built.
var consumerModules = []string{
	"consumer",
	module,
	"github.com/google/go-cmp",
	"golang.org/x/sync",
}

func TestConsumerGetsOnlyTheKnownModules(t *testing.T) {
	dir := consumer(t)
	var got []string
	for line := range strings.Lines(goCommand(t, dir, "list", "-m", "-f", "{{.Path}}", "all")) {
		got = append(got, strings.TrimSpace(line))
	}
	slices.Sort(got)
	for _, m := range got {
		if !slices.Contains(consumerModules, m) {
			t.Errorf("the module list of a consumer contains %s", m)
		}
	}
	built := goCommand(t, dir, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	for m := range strings.FieldsSeq(built) {
		if m != "consumer" && m != module && m != "golang.org/x/sync" {
			t.Errorf("a consumer builds %s", m)
		}
	}
	goCommand(t, dir, "build", "./...")
}

// renameImports renames a module in the imports of the Go files below a folder, as the
// README of the examples does with sed.
func renameImports(t *testing.T, dir, from, to string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			writeFile(t, path, strings.ReplaceAll(readFile(t, path), `"`+from+"/", `"`+to+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// consumer writes a program that imports every public package, and returns its folder.
func consumer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var imports strings.Builder
	for _, p := range public(t) {
		fmt.Fprintf(&imports, "import _ %q\n", p.ImportPath)
	}
	writeFile(t, filepath.Join(dir, "main.go"), "package main\n\n"+imports.String()+"\nfunc main() {}\n")
	writeFile(t, filepath.Join(dir, "go.mod"), "module consumer\n\ngo 1.26.0\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+top(t)+"\n")
	goCommand(t, dir, "mod", "tidy")
	return dir
}

func TestRootRequiresTwoModules(t *testing.T) {
	want := []string{"github.com/google/go-cmp", "golang.org/x/sync"}
	out := goCommand(t, top(t), "list", "-m", "-f", "{{if not (or .Main .Indirect)}}{{.Path}}{{end}}", "all")
	got := strings.Fields(out)
	slices.Sort(got)
	// go list does not mark a module as indirect if go.mod does not contain it.
	gomod := readFile(t, filepath.Join(top(t), "go.mod"))
	got = slices.DeleteFunc(got, func(m string) bool { return !strings.Contains(gomod, m+" v") })
	if !slices.Equal(got, want) {
		t.Errorf("go.mod requires %v, want %v", got, want)
	}
}

func TestEveryExampleBuildsInAFolderOfItsOwn(t *testing.T) {
	examples := filepath.Join(top(t), "examples")
	entries, err := os.ReadDir(examples)
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		programs++
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			copyTree(t, filepath.Join(examples, e.Name()), dir)
			gomod := strings.Replace(readFile(t, filepath.Join(examples, "go.mod")), "module "+module+"/examples", "module copied", 1)
			gomod = strings.ReplaceAll(gomod, "=> ../", "=> "+top(t)+"/")
			writeFile(t, filepath.Join(dir, "go.mod"), gomod)
			renameImports(t, dir, module+"/examples/"+e.Name(), "copied")
			writeFile(t, filepath.Join(dir, "go.sum"), readFile(t, filepath.Join(examples, "go.sum")))
			goCommand(t, dir, "mod", "tidy")
			goCommand(t, dir, "vet", "./...")
		})
	}
	if programs == 0 {
		t.Error("found no example")
	}
}
