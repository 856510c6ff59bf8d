package envtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// CountedInREADME fails the test unless the README of the module has the number of lines of a
// file, in a row that links to it. The file is in the folder of the test, whose path in the
// repository is folder.
func CountedInREADME(t *testing.T, folder, file string) {
	t.Helper()
	up := strings.Repeat("../", strings.Count(folder, "/")+1)
	readme, err := os.ReadFile(filepath.Join(up, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if row := fmt.Sprintf("(%s/%s) | %d |", folder, file, countLines(t, file)); !strings.Contains(string(readme), row) {
		t.Errorf("the README does not contain %q", row)
	}
}

// countLines counts the lines that have a token, from the first declaration that
// is not an import.
func countLines(t *testing.T, file string) int {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	begin := 0
	for _, d := range tree.Decls {
		if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			begin = files.Position(d.Pos()).Line
			break
		}
	}
	var s scanner.Scanner
	s.Init(files.AddFile(file, -1, len(source)), source, nil, 0)
	lines := make(map[int]bool)
	for {
		at, tok, text := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if line := files.Position(at).Line; line >= begin && (tok != token.SEMICOLON || text != "\n") {
			lines[line] = true
		}
	}
}
