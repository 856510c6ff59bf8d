package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"testing"
)

// shownCode matches a Go block of a document with its comment, which contains the file
// and the func that the block is copied from:
//
//	<!-- Code: example_test.go serve -->
//	```go
var shownCode = regexp.MustCompile("(?s)<!-- Code: (\\S+) (\\S+) -->\n```go\n(.*?)```")

var goBlock = regexp.MustCompile("(?m)^```go$")

func TestCodeInTheReadmeIsCompiledCode(t *testing.T) {
	for _, name := range []string{"README.md", "webhook/publish/RECEIVERS.md"} {
		doc := readFile(t, filepath.Join(top(t), name))
		shown := shownCode.FindAllStringSubmatch(doc, -1)
		if all := len(goBlock.FindAllString(doc, -1)); len(shown) == 0 || len(shown) != all {
			t.Fatalf("%s has %d Go blocks, and %d have a comment with their func", name, all, len(shown))
		}
		for _, m := range shown {
			if want := funcSource(t, filepath.Join(top(t), m[1]), m[2]); m[3] != want {
				t.Errorf("%s shows\n%s\nbut %s in %s is\n%s", name, m[3], m[2], m[1], want)
			}
		}
	}
}

// funcSource returns the source of a func in a file, without its comment.
func funcSource(t *testing.T, file, name string) string {
	t.Helper()
	src := readFile(t, file)
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Name.Name == name {
			return src[fset.Position(fn.Pos()).Offset:fset.Position(fn.End()).Offset] + "\n"
		}
	}
	t.Fatalf("%s has no func %s", file, name)
	return ""
}
