package rules

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest    = regexp.MustCompile("`(Test\\w+)`")
	declaredTest = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

// What the page of several machines promises has a test behind it, in any module.
func TestTestsThatThePageOfScalingNamesExist(t *testing.T) {
	exists := make(map[string]bool)
	err := filepath.WalkDir(top(t), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, m := range declaredTest.FindAllStringSubmatch(readFile(t, path), -1) {
			exists[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	named := namedTest.FindAllStringSubmatch(readFile(t, filepath.Join(top(t), "webhook", "SCALING.md")), -1)
	if len(named) < 10 {
		t.Errorf("the page names %d tests only", len(named))
	}
	for _, m := range named {
		if !exists[m[1]] {
			t.Errorf("there is no test %s", m[1])
		}
	}
}
