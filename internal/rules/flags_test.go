package rules

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// flagFuncs are the methods of a flag.FlagSet that declare a flag, with the position of its
// name in the arguments.
var flagFuncs = map[string]int{
	"Bool": 0, "Duration": 0, "Float64": 0, "Int": 0, "Int64": 0, "String": 0, "Uint": 0, "Uint64": 0, "Func": 0, "BoolFunc": 0,
	"BoolVar": 1, "DurationVar": 1, "Float64Var": 1, "IntVar": 1, "Int64Var": 1, "StringVar": 1, "UintVar": 1, "Uint64Var": 1, "TextVar": 1, "Var": 1,
}

// declaredFlags returns the flags that the program in a folder declares, sorted. To build
// each program for what its -help prints takes a minute.
func declaredFlags(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	flags := []string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := flagOf(call); ok {
					flags = append(flags, name)
				}
			}
			return true
		})
	}
	slices.Sort(flags)
	return slices.Compact(flags), nil
}

// flagOf returns the name of the flag that a call declares. A flag has a name, a text that
// says what it is for, and a value or the place for one.
func flagOf(call *ast.CallExpr) (string, bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	at, ok := flagFuncs[method.Sel.Name]
	if !ok || len(call.Args) < 3 {
		return "", false
	}
	lit, ok := call.Args[at].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	name, err := strconv.Unquote(lit.Value)
	return name, err == nil
}

var flagLine = regexp.MustCompile(`(?m)^  -(\S+)`)

// The program with flags of the most kinds stands for all.
func TestDeclaredFlagsAreThoseThatHelpPrints(t *testing.T) {
	dir := filepath.Join(top(t), "examples", "dockerhub-deploy")
	file := filepath.Join(t.TempDir(), "program")
	goCommand(t, dir, "build", "-buildvcs=false", "-o", file, ".")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	help := exec.CommandContext(ctx, file, "-help")
	help.Dir, help.Env = t.TempDir(), []string{}
	text, err := help.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("-help: %v", errors.Join(err, ctx.Err()))
	}
	var want []string
	for _, m := range flagLine.FindAllStringSubmatch(string(text), -1) {
		want = append(want, m[1])
	}
	slices.Sort(want)
	got, err := declaredFlags(dir)
	if err != nil || len(want) < 20 || !slices.Equal(got, want) {
		t.Errorf("%v: the source declares %q, -help prints %q", err, got, want)
	}
}
