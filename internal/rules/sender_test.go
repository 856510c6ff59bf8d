package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// senderDocs are the documents that list the senders.
var senderDocs = []string{"doc.go", "README.md", "CHANGELOG.md"}

func TestEverySenderHasTheSameShape(t *testing.T) {
	docs := make(map[string]string)
	for _, name := range senderDocs {
		docs[name] = readFile(t, filepath.Join(top(t), name))
	}
	senders := 0
	for _, p := range public(t) {
		if name := room(p.ImportPath); isProvider(name) {
			senders++
			for _, fault := range senderFaults(p.Dir, name, docs) {
				t.Errorf("%s: %s; see \"A new sender\" in CONTRIBUTING.md", name, fault)
			}
		}
	}
	if senders < 4 {
		t.Errorf("only %d senders found", senders)
	}
}

// senderFaults returns what a sender's package lacks: the files, funcs and tests
// that all senders have, and its name in the documents.
func senderFaults(dir, name string, docs map[string]string) (faults []string) {
	say := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, file := range []string{"doc.go", "source.go", "describe.go", "payload.go", "testdata/README.md"} {
		if !exists(filepath.Join(dir, file)) {
			say("it has no %s", file)
		}
	}
	if bodies, _ := filepath.Glob(filepath.Join(dir, "testdata", "*.json")); len(bodies) == 0 {
		say("testdata has no body")
	}
	code, tests := sources(dir)
	if start := "func Source("; !strings.Contains(code, "\n"+start) {
		say("it has no %s...)", start)
	}
	for _, start := range []string{"func FuzzDescribe(", "func Example("} {
		if !strings.Contains(tests, "\n"+start) {
			say("its tests have no %s...)", start)
		}
	}
	for _, doc := range senderDocs {
		if !strings.Contains(docs[doc], "`"+name+"`") && !strings.Contains(docs[doc], "\n//\t"+name+" ") {
			say("%s does not list it", doc)
		}
	}
	return faults
}

// sources returns the text of the Go files in a folder, and that of the tests.
func sources(dir string) (code, tests string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if strings.HasSuffix(file, "_test.go") {
			tests += string(text)
		} else {
			code += string(text)
		}
	}
	return code, tests
}

func TestTheCheckOfSendersFindsWhatIsWrong(t *testing.T) {
	whole := map[string]string{
		"doc.go":             "// Package gitea is a sender.\npackage gitea\n",
		"source.go":          "package gitea\n\nfunc Source() {}\n",
		"describe.go":        "package gitea\n",
		"payload.go":         "package gitea\n",
		"a_test.go":          "package gitea_test\n\nfunc FuzzDescribe() {}\n\nfunc Example() {}\n",
		"testdata/README.md": "All values are invented.\n",
		"testdata/push.json": "{}",
		"../doc.go":          "// Packages:\n//\n//\tgitea   pushes\n",
		"../README.md":       "| package | `gitea` |\n",
		"../CHANGELOG.md":    "- `gitea`: pushes.\n",
	}
	for _, tt := range []struct{ name, file, text, fault string }{
		{"what is right", "", "", ""},
		{"no file", "describe.go", "", "it has no describe.go"},
		{"no word about the bodies", "testdata/README.md", "", "it has no testdata/README.md"},
		{"no body", "testdata/push.json", "", "testdata has no body"},
		{"no Source", "source.go", "package gitea\n", "it has no func Source(...)"},
		{"no fuzz target", "a_test.go", "package gitea_test\n\nfunc Example() {}\n", "its tests have no func FuzzDescribe(...)"},
		{"no Example", "a_test.go", "package gitea_test\n\nfunc FuzzDescribe() {}\n", "its tests have no func Example(...)"},
		{"not in the list of packages", "../doc.go", "// Packages:\n//\n//\tgiteasy   pushes\n", "doc.go does not list it"},
		{"not in the table", "../README.md", "Not gitea.\n", "README.md does not list it"},
		{"not in the changes", "../CHANGELOG.md", "", "CHANGELOG.md does not list it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "gitea")
			if err := os.MkdirAll(filepath.Join(dir, "testdata"), 0o755); err != nil {
				t.Fatal(err)
			}
			docs := make(map[string]string)
			for file, text := range whole {
				if file == tt.file {
					text = tt.text
				}
				if doc, ok := strings.CutPrefix(file, "../"); ok {
					docs[doc] = text
				} else if text != "" {
					writeFile(t, filepath.Join(dir, file), text)
				}
			}
			if got := strings.Join(senderFaults(dir, "gitea", docs), "\n"); got != tt.fault {
				t.Errorf("got %q, want %q", got, tt.fault)
			}
		})
	}
}
