package jobs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	Supervise()
	os.Exit(m.Run())
}

// open opens a Dir for a test.
func open(t *testing.T) *Dir {
	t.Helper()
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func shell(d *Dir, script string, output io.Writer) Command {
	return Command{Args: []string{"/bin/sh", "-c", script}, Dir: d.Path(), Env: []string{"PATH=" + os.Getenv("PATH")}, Output: output}
}

// alive reports whether a process runs. A zombie does not run.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	cmdline, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	return syscall.Kill(n, 0) == nil && len(cmdline) > 0
}

func TestRunEndsWithAllProcesses(t *testing.T) {
	t.Parallel()
	d := open(t)
	var out bytes.Buffer
	err := d.Run(t.Context(), shell(d, "sleep 1000 >/dev/null 2>&1 & echo $!; setsid setsid sh -c 'echo $$ >pid; exec sleep 1000 >/dev/null 2>&1' & until [ -s pid ]; do sleep 0.02; done; cat pid; exit 7", &out))
	if status, ok := ExitStatus(err); !ok || status != "exit status 7" {
		t.Errorf("Run: %v, want exit status 7", err)
	}
	pids := strings.Fields(out.String())
	if len(pids) != 2 {
		t.Fatalf("the command wrote %q, want two pids", out.String())
	}
	for _, pid := range pids {
		if alive(t, pid) {
			t.Errorf("process %s is alive after Run", pid)
		}
	}
}

func TestRunReturnsTheCauseOfItsContext(t *testing.T) {
	t.Parallel()
	d := open(t)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	r, w := io.Pipe()
	go func() {
		_, _ = r.Read(make([]byte, 1))
		cancel(cause)
		_, _ = io.Copy(io.Discard, r)
	}()
	if err := d.Run(ctx, shell(d, "echo begun; sleep 1000", w)); !errors.Is(err, cause) {
		t.Errorf("Run: %v, want %v", err, cause)
	}
}

func TestCommandGetsOnlyItsEnvironment(t *testing.T) {
	t.Setenv("LEAK", "must not be seen")
	d := open(t)
	var out bytes.Buffer
	c := Command{Args: []string{"env"}, Dir: d.Path(), Env: []string{"PATH=" + os.Getenv("PATH"), "A=b"}, Output: &out}
	if err := d.Run(t.Context(), c); err != nil || out.String() != "PATH="+os.Getenv("PATH")+"\nA=b\n" {
		t.Errorf("Run: %v, %q", err, out.String())
	}
	out.Reset()
	c.Args = []string{"no-such-program"}
	err := d.Run(t.Context(), c)
	if _, ok := ExitStatus(err); err == nil || ok || !strings.Contains(out.String(), "cannot start the command") {
		t.Errorf("a command that cannot be started: %v, %q", err, out.String())
	}
}

func TestIncompleteOutput(t *testing.T) {
	for name, read := range map[string]bool{"an error for stdout": true, "no error for a log": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			gate := filepath.Join(d.Path(), "gate")
			if err := syscall.Mkfifo(gate, 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			c := shell(d, "echo $$ >"+gate+"; read go <"+gate, &out)
			if read {
				c.Output, c.Stdout = new(bytes.Buffer), &out
			}
			ended := make(chan error, 1)
			go func() { ended <- d.Run(t.Context(), c) }()
			pid, err := os.ReadFile(gate)
			if err != nil {
				t.Fatal(err)
			}
			// Keep it open, as a process that cannot be killed would.
			kept, err := os.OpenFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "fd", "1"), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = kept.Close() })
			if err := os.WriteFile(gate, []byte("\n"), 0); err != nil {
				t.Fatal(err)
			}
			err = <-ended
			if read {
				if !errors.Is(err, exec.ErrWaitDelay) {
					t.Fatalf("error = %v, want %v", err, exec.ErrWaitDelay)
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
