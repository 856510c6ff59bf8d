package browsertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hookhouse/hookhouse/internal/browsertest/chrome"
)

// What the tests use. It is empty if it is left out.
var (
	program  string // the built guestbook
	chromium string // the browser
	axe      string // the source of axe-core
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	chromium = chrome.Path()
	source, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err == nil {
		axe = string(source)
	}
	missing := false
	for what, have := range map[string]bool{
		chrome.Missing: chromium != "",
		"left out: the checks of accessibility, for want of axe-core; get it: npm install --no-save --prefix internal/browsertest axe-core@4.14.1": axe != "",
	} {
		if !have {
			fmt.Println(what)
			missing = true
		}
	}
	switch {
	case missing && os.Getenv("CI") == "true":
		return 1
	case chromium == "":
		return 0
	}
	dir, err := os.MkdirTemp("", "browsertest")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "guestbook")
	if out, err := exec.Command("go", "build", "-C", "../../examples", "-o", program, "./guestbook").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}
