//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// newExecSite returns a site whose rule runs a script. DIR in the script is the site's
// folder.
func newExecSite(t *testing.T, script string) *site {
	t.Helper()
	rig := sharedRig(t)
	if rig == nil {
		return nil
	}
	s := newSite(t, rig, rig.engine, "-lease=2s")
	file := filepath.Join(s.dir, "deploy.sh")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+strings.ReplaceAll(script, "DIR", s.dir)), 0o700); err != nil {
		t.Fatal(err)
	}
	s.args = append(s.args, "-exec="+file, "-watch="+s.repository+":latest=exec:web")
	return s
}

// A program that deploys ends before the next one begins, even if what started it is
// killed, or interrupted again and again.
func TestEngineProgramRunsOnceAtATime(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			// It runs longer than the lease.
			s := newExecSite(t, "echo start $$ >> DIR/runs\nsleep 8\necho end $$ >> DIR/runs\n")
			if s == nil {
				return
			}
			s.push("1", nil)
			s.start()
			s.call("latest")
			s.until("the program to run", func() bool { return s.read("runs") != "" })
			s.until("the program to end", func() bool {
				_ = s.program.Process.Signal(signal)
				return s.exited()
			})
			s.start()
			s.untilLog("msg=deployed", 1)
			var want string
			for line := range strings.Lines(s.read("runs")) {
				if id, ok := strings.CutPrefix(line, "start "); ok && want == "" {
					want = "end " + id
				} else if line == want {
					want = ""
				} else {
					t.Fatalf("two runs at once:\n%s", s.read("runs"))
				}
			}
			if got := strings.Count(s.read("runs"), "start"); got != 2 {
				t.Fatalf("%d runs, want 2: the first one has nobody to note what it did", got)
			}
		})
	}
}

// What the program prints is passed on while it runs, and neither the log nor the memory
// holds all of it.
func TestEngineProgramOutputIsPassedOnAndBounded(t *testing.T) {
	t.Parallel()
	const size = 200 << 20
	s := newExecSite(t, fmt.Sprintf(`echo "pulling $HOOKHOUSE_TAG"
echo "a warning" >&2
until [ -e DIR/go ]; do sleep 0.1; done
yes "a line of the output" | head -c %d
yes | head -c %d | tr -d '\n'
echo "no route to host" >&2
[ -e DIR/good ]
`, size, size/10))
	if s == nil {
		return
	}
	s.push("1", nil)
	s.start()
	s.call("latest")
	s.until("the output to be passed on", func() bool {
		return strings.Contains(s.logText(), "pulling latest") && strings.Contains(s.logText(), "a warning")
	})
	s.write("go", "")
	s.untilLog("msg=failed", 1)
	s.write("good", "")
	s.until("the reason to have the end of the output", func() bool {
		for line := range strings.Lines(s.logText()) {
			if strings.Contains(line, "msg=failed") && strings.Contains(line, "no route to host") {
				return true
			}
		}
		return false
	})
	s.untilLog("msg=deployed", 1)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.program.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	if most := size / 2 / 1024; kilobytes > most {
		t.Errorf("the program used %d kB, want at most %d", kilobytes, most)
	}
	if got := len(s.logText()); got > 8<<20 {
		t.Errorf("the log has %d bytes, want at most %d", got, 8<<20)
	}
}
