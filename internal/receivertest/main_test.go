package receivertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tools are the programs that the tests use, by name. One that is left out is not there.
var tools = make(map[string]string)

// libraries is the folder of the module of Standard Webhooks, with a library for each language.
var libraries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/standard-webhooks/standard-webhooks/libraries")
	out, err := list.Output()
	if err != nil {
		fmt.Println("go list:", err)
		return 1
	}
	libraries = strings.TrimSpace(string(out))
	missing := false
	for _, t := range []struct {
		name, code, get string
		needed          bool // in CI
	}{
		{"openssl", "shell", "apt-get install openssl", true},
		{"node", "JavaScript", "apt-get install npm", true},
		{"python3", "Python", "apt-get install python3", true},
		{"javac", "Java", "apt-get install default-jdk-headless", false},
	} {
		path, err := exec.LookPath(t.name)
		if err == nil {
			tools[t.name] = path
			continue
		}
		fmt.Printf("left out: the %s code for receivers, for want of %s; get it: %s\n", t.code, t.name, t.get)
		missing = missing || t.needed
	}
	if _, err := os.Stat(filepath.Join("node_modules", "standardwebhooks")); err != nil && tools["node"] != "" {
		delete(tools, "node")
		fmt.Println("left out: the JavaScript code for receivers, for want of its library; " +
			"get it: npm install --no-save --prefix internal/receivertest standardwebhooks@1.1.1")
		missing = true
	}
	if missing && os.Getenv("CI") == "true" {
		return 1
	}
	return m.Run()
}
