// Package chrome finds Chromium, and starts it without a window and without a network.
package chrome

import (
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// Missing says how to get what Path does not find.
const Missing = "left out: the tests in a browser, for want of Chromium; get it: apt-get install chromium"

// Path returns the program of the browser, or "" if there is none.
func Path() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Options returns the options of a browser that keeps its files in dir, and resolves no name:
// it reaches 127.0.0.1 alone.
func Options(path, dir string) []chromedp.ExecAllocatorOption {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.UserDataDir(dir),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have
	}
	return options
}
