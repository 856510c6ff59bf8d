package rules

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	postLine = regexp.MustCompile(`(?m)^//\tPOST .*$`)
	apiPath  = regexp.MustCompile(`api/[\w/]+`)
	postForm = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
)

// The quickstart has the inspector beside the hooks, and lists the paths at which it gets a
// POST: any other POST is of a sender with a wrong URL.
func TestQuickstartPassesEveryActToTheInspector(t *testing.T) {
	paths := []string{}
	pages, err := filepath.Glob(filepath.Join(top(t), "webhook/inspect/assets/*.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		for _, form := range postForm.FindAllStringSubmatch(readFile(t, page), -1) {
			paths = append(paths, form[1])
		}
	}
	if len(paths) == 0 {
		t.Fatalf("no page of %q has a form with POST", pages)
	}
	paths = append(paths, apiPath.FindAllString(strings.Join(postLine.FindAllString(readFile(t, filepath.Join(top(t), "webhook/inspect/doc.go")), -1), "\n"), -1)...)
	if len(paths) < 6 {
		t.Fatalf("inspect has only these paths with POST: %q", paths)
	}
	home := readFile(t, filepath.Join(top(t), "examples/quickstart/home.go"))
	for _, path := range paths {
		if !strings.Contains(home, `"/`+path+`"`) {
			t.Errorf("actPaths in examples/quickstart/home.go lacks /%s", path)
		}
	}
}
