package rules

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parsed returns the documentation of a public package, with the examples in its tests.
func parsed(t *testing.T, p pkg) *doc.Package {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	d, err := doc.NewFromFiles(fset, files, p.ImportPath)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryPackageHasATourAndAnExampleWithOutput(t *testing.T) {
	for _, p := range append(public(t), apart(t)...) {
		if _, err := os.Stat(filepath.Join(p.Dir, "doc.go")); err != nil {
			t.Errorf("%s has no doc.go; put the package comment there", p.ImportPath)
		}
		d := parsed(t, p)
		if len(d.Doc) < 200 {
			t.Errorf("%s: the package comment has %d bytes, want at least 200: say what the package is for, and how to begin", p.ImportPath, len(d.Doc))
		}
		if room(p.ImportPath) == module || len(p.GoFiles) == 1 && p.GoFiles[0] == "doc.go" {
			continue // documentation only
		}
		if !hasOutput(d) {
			t.Errorf("%s has no Example with an Output comment; add one to example_test.go", p.ImportPath)
		}
	}
}

// hasOutput reports whether a package has an Example with an Output comment.
func hasOutput(d *doc.Package) bool {
	examples := d.Examples
	for _, f := range d.Funcs {
		examples = append(examples, f.Examples...)
	}
	for _, ty := range d.Types {
		examples = append(examples, ty.Examples...)
		for _, f := range append(ty.Funcs, ty.Methods...) {
			examples = append(examples, f.Examples...)
		}
	}
	for _, e := range examples {
		if e.Output != "" {
			return true
		}
	}
	return false
}

func TestEveryExportedNameHasAComment(t *testing.T) {
	for _, p := range append(public(t), apart(t)...) {
		d := parsed(t, p)
		var bare []string
		check := func(name, text string) {
			if strings.TrimSpace(text) == "" && ast.IsExported(name[strings.LastIndexByte(name, '.')+1:]) {
				bare = append(bare, name)
			}
		}
		values := func(vs []*doc.Value) {
			for _, v := range vs {
				checkSpecs(v, check)
			}
		}
		values(d.Consts)
		values(d.Vars)
		for _, f := range d.Funcs {
			check(f.Name, f.Doc)
		}
		for _, ty := range d.Types {
			check(ty.Name, ty.Doc)
			values(ty.Consts)
			values(ty.Vars)
			for _, f := range append(ty.Funcs, ty.Methods...) {
				check(ty.Name+"."+f.Name, f.Doc)
			}
		}
		for _, name := range bare {
			t.Errorf("%s.%s has no comment; state its contract in one", p.ImportPath, name)
		}
	}
}

// checkSpecs calls check for each name of a group. The comment of the group counts for
// each of them.
func checkSpecs(v *doc.Value, check func(name, text string)) {
	for _, s := range v.Decl.Specs {
		spec := s.(*ast.ValueSpec)
		for _, n := range spec.Names {
			check(n.Name, v.Doc+spec.Doc.Text()+spec.Comment.Text())
		}
	}
}
