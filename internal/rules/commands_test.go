package rules

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryCommandAndLinkInADocumentExists(t *testing.T) {
	docs, err := filepath.Glob(filepath.Join(top(t), "examples", "*", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "examples/README.md", "webhook/publish/RECEIVERS.md", "webhook/DELIVERY.md", "webhook/SCALING.md"} {
		docs = append(docs, filepath.Join(top(t), name))
	}
	c := &checker{top: top(t), flagsOf: declaredFlags}
	for _, doc := range docs {
		for _, fault := range c.faults(doc, readFile(t, doc)) {
			t.Errorf("%s: %s", strings.TrimPrefix(doc, c.top+"/"), fault)
		}
	}
	if c.commands < 10 {
		t.Errorf("found only %d commands", c.commands)
	}
}

func TestCommandFaultsAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Makefile":                 "test: lint\n\ngo run\n\nlint:\n\ttrue\n",
		"examples/prog/main.go":    "package main\n",
		"examples/prog/README.md":  "",
		"examples/noprog/thing.go": "package thing\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, name), text)
	}
	const own, all = "examples/prog/README.md", "examples/README.md"
	for _, tt := range []struct{ name, doc, text, fault string }{
		{"correct commands and links", own, "Take `-json`, [this](README.md#it), [that](https://example.com):\n\n    A=b go run -C examples ./prog -json  # -no flag\n" +
			"    make test\n    go run . -exec './x -y' | tee -a log\n\n```sh\n./prog -exec \\\n  --json\ngo mod init prog && prog -json=true\n```\n", ""},
		{"text that is not a command", own, "`go-github -x`, `--end-of-options`, `make` it\n\n```yaml\n- ./noprog -x\n```\n```go\nm[1](x)\n```\n", ""},
		{"a program that does not exist", all, "    go run -C examples ./nowhere\n", `"./nowhere" is not a program`},
		{"a folder without a program", all, "    go run ./noprog\n", `"./noprog" is not a program`},
		{"a folder that does not exist", all, "    go run -C nowhere ./prog\n", `"./prog" is not a program`},
		{"a built program that does not exist", all, "    ./nowhere\n", `"./nowhere" is not a program`},
		{"a flag", all, "    go run -C examples ./prog -json -x\n", `prog has no flag -x`},
		{"a flag with a value", all, "    ./prog --y=1\n", `prog has no flag -y`},
		{"a flag in a table", all, "| it | `go run\n./prog -z` |\n", `prog has no flag -z`},
		{"a flag in a block", all, "```\n$ prog -x\n```\n", `prog has no flag -x`},
		{"a flag on a second line", all, "    ./prog \\\n      -x\n", `prog has no flag -x`},
		{"a flag of the folder's program", own, "    go run . -x\n", `prog has no flag -x`},
		{"a flag alone", own, "or `-x file`", `prog has no flag -x`},
		{"a target", own, "    make tests\n", `no target "tests"`},
		{"a link", own, "[it](compose.yaml)", `the target of the link "compose.yaml" does not exist`},
		{"a link on two lines", own, "[it\nor](../nowhere/)", `the target of the link "../nowhere/" does not exist`},
		{"a copy of a folder that does not exist", all, "    cp -r examples/nowhere mine\n", `"examples/nowhere" does not exist`},
		{"a compose file", own, "    docker compose up\n", `no compose.yaml`},
		{"an image", own, "    docker build -t x .\n", `no Dockerfile`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &checker{top: dir, flagsOf: func(string) ([]string, error) { return []string{"json", "exec"}, nil }}
			got := strings.Join(c.faults(filepath.Join(dir, tt.doc), tt.text), "\n")
			if tt.fault == "" && got != "" || !strings.Contains(got, tt.fault) {
				t.Errorf("got %q, want %q", got, tt.fault)
			}
			if none := strings.Contains(tt.name, "not a command"); none != (c.commands == 0) && !strings.Contains(tt.fault, "link") {
				t.Errorf("%d commands seen", c.commands)
			}
		})
	}
}

// A checker checks the commands and links that documents show.
type checker struct {
	top      string
	flagsOf  func(dir string) ([]string, error) // returns the flags of the program in a folder
	commands int                                // number of commands checked
}

var (
	fence  = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	indent = regexp.MustCompile(`(?m)^ {4}.*\n?`)
	inline = regexp.MustCompile("`([^`]+)`")
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	word   = regexp.MustCompile(`(?:[^\s"']|"[^"]*"|'[^']*')+`)
	joint  = regexp.MustCompile(`\s(?:&&|\|\|?|;|#.*$)(?:\s|$)|;\s`)
	assign = regexp.MustCompile(`^(\w+=.*|\$|sudo|exec)$`)
)

// faults returns the errors in the text of a document.
func (c *checker) faults(doc, text string) (faults []string) {
	say := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var lines []string
	take := func(block string) {
		lines = slices.AppendSeq(lines, strings.Lines(strings.ReplaceAll(block, "\\\n", " ")))
	}
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == "" || m[1] == "sh" || m[1] == "console" {
			take(m[2])
		}
	}
	text = fence.ReplaceAllString(text, "")
	take(strings.Join(indent.FindAllString(text, -1), ""))
	text = indent.ReplaceAllString(text, "")
	for _, m := range inline.FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.Join(strings.Fields(m[1]), " "))
	}
	for _, line := range lines {
		for _, part := range joint.Split(strings.TrimSpace(line), -1) {
			words := word.FindAllString(part, -1)
			for len(words) > 0 && assign.MatchString(words[0]) {
				words = words[1:]
			}
			if len(words) > 0 {
				c.command(filepath.Dir(doc), words, say)
			}
		}
	}
	for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(text, ""), -1) {
		to, _, _ := strings.Cut(m[1], "#")
		if to != "" && !strings.Contains(to, ":") && !exists(filepath.Join(filepath.Dir(doc), to)) {
			say("the target of the link %q does not exist", m[1])
		}
	}
	return faults
}

// command checks a command in a document of the folder dir.
func (c *checker) command(dir string, words []string, say func(string, ...any)) {
	first, rest := words[0], words[1:]
	two := strings.Join(words[:min(2, len(words))], " ")
	switch {
	case two == "go run":
		folders := []string{dir, filepath.Join(c.top, "examples"), c.top}
		if rest = rest[1:]; len(rest) > 1 && rest[0] == "-C" {
			folders, rest = []string{filepath.Join(c.top, rest[1])}, rest[2:]
		}
		if len(rest) > 0 && (rest[0] != "." || isProgram(dir)) {
			c.program(folders, rest[0], rest[1:], say)
		}
	case strings.HasPrefix(first, "./"):
		c.program([]string{filepath.Dir(dir), filepath.Join(c.top, "examples")}, first, rest, say)
	case isProgram(filepath.Join(c.top, "examples", first)):
		c.program([]string{filepath.Join(c.top, "examples")}, first, rest, say)
	case strings.HasPrefix(first, "-") && !strings.HasPrefix(first, "--") && isProgram(dir):
		c.program([]string{dir}, ".", words, say)
	case first == "make" && len(rest) > 0:
		c.commands++
		makefile, err := os.ReadFile(filepath.Join(c.top, "Makefile"))
		if err != nil || !strings.Contains("\n"+string(makefile), "\n"+rest[0]+":") {
			say("the Makefile has no target %q", rest[0])
		}
	case first == "cp" && len(rest) > 1:
		c.commands++
		if from := rest[len(rest)-2]; !exists(filepath.Join(c.top, from)) && !exists(filepath.Join(dir, from)) {
			say("%q does not exist", from)
		}
	case two == "docker compose", two == "docker build":
		c.commands++
		needs := map[string]string{"docker compose": "compose.yaml", "docker build": "Dockerfile"}[two]
		if !exists(filepath.Join(dir, needs)) {
			say("%q needs a file, and there is no %s", strings.Join(words, " "), needs)
		}
	}
}

// program checks that name is a program in one of the folders, and that it has the
// flags in args.
func (c *checker) program(folders []string, name string, args []string, say func(string, ...any)) {
	c.commands++
	i := slices.IndexFunc(folders, func(f string) bool { return isProgram(filepath.Join(f, name)) })
	if i < 0 {
		say("%q is not a program", name)
		return
	}
	dir := filepath.Join(folders[i], name)
	for _, arg := range args {
		flag, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !strings.HasPrefix(arg, "-") || flag == "" || flag == "help" {
			continue
		}
		known, err := c.flagsOf(dir)
		if err != nil {
			say("%s: %v", name, err)
		} else if !slices.Contains(known, flag) {
			say("%s has no flag -%s", filepath.Base(dir), flag)
		}
	}
}

// isProgram reports whether a folder has a package main.
func isProgram(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	return slices.ContainsFunc(files, func(name string) bool {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly)
		return err == nil && f.Name.Name == "main"
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
