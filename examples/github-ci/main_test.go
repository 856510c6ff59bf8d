package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/examples/github-ci/jobs"
)

// program is the built github-ci.
var program string

func TestMain(m *testing.M) {
	jobs.Supervise() // for tests that run a command directly
	dir, err := os.MkdirTemp("", "github-ci")
	if err != nil {
		panic(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // as root, the tests run the program as other users
		panic(err)
	}
	program = filepath.Join(dir, "github-ci")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const hookSecret = "a webhook secret"

// A rig is a fake GitHub with one repository, and a folder in which a test starts,
// kills and restarts the program.
type rig struct {
	*testing.T
	hub  *fakeGitHub
	repo *repository
	dir  string
	gate string // commands wait until this file exists
	runs string // commands append to it
	args []string
	via  []string             // command that starts the program, if not empty
	env  []string             // additional environment
	attr *syscall.SysProcAttr // if nil, the program runs as the user of the test, who is not root
	p    *process
}

// newRig writes a configuration whose command may contain $GATE and $RUNS. The test runs
// beside others.
func newRig(t *testing.T, command string, more ...string) *rig {
	t.Helper()
	t.Parallel()
	return newFurtherRig(t, command, more...)
}

// newFurtherRig is newRig for a test that has another rig.
func newFurtherRig(t *testing.T, command string, more ...string) *rig {
	t.Helper()
	hub, dir := newFakeGitHub(t), t.TempDir()
	r := &rig{T: t, hub: hub, repo: hub.repository(t, "acme/app"), dir: dir, gate: filepath.Join(dir, "gate"), runs: filepath.Join(dir, "runs")}
	command = strings.NewReplacer("$GATE", r.gate, "$RUNS", r.runs).Replace(command)
	config := fmt.Sprintf("repositories:\n  - name: acme/app\n    remote: %s/git/acme/app.git\n    branches: [main, 'release/**', 'ugly/**']\n    tags: ['v*']\n    command: %s\n",
		hub.URL, quoted(command))
	r.write("github-ci.yaml", config+strings.Join(more, ""))
	r.leaveRoot()
	return r
}

// quoted returns text as a JSON string, which is also valid YAML.
func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

func (r *rig) write(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) read(name string) string {
	text, _ := os.ReadFile(name)
	return string(text)
}

func (r *rig) openGate() { r.write("gate", "") }

// A process is the running program.
type process struct {
	cmd   *exec.Cmd
	url   string
	admin string // of -admin-addr, otherwise url

	mu   sync.Mutex
	log  bytes.Buffer
	done chan struct{} // closed when log is complete
}

func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

func (p *process) logText() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (r *rig) command(args ...string) *exec.Cmd {
	args = slices.Concat(r.via, []string{program}, args)
	cmd := exec.CommandContext(r.Context(), args[0], args[1:]...)
	cmd.Dir = r.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GITHUB_WEBHOOK_SECRET=" + hookSecret, "GITHUB_TOKEN=" + token, "LEAK=must not be seen"}, r.env...)
	cmd.SysProcAttr = r.attr
	return cmd
}

// start runs the program and waits until it listens.
func (r *rig) start() {
	r.Helper()
	args := append([]string{"-addr", "127.0.0.1:0", "-data", "data", "-url", "http://ci.example.com/ci", "-api", r.hub.URL + "/api/v3"}, r.args...)
	p := &process{cmd: r.command(args...), done: make(chan struct{})}
	p.cmd.Stderr = p
	if err := p.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	r.p = p
	r.until("the program listens", func() bool {
		select {
		case <-p.done:
			r.Fatalf("the program has exited:\n%s", p.logText())
		default:
		}
		_, rest, ok := strings.Cut(p.logText(), "msg=listening url=")
		url, _, whole := strings.Cut(rest, "\n")
		p.url, p.admin = url, url
		if _, rest, ok := strings.Cut(p.logText(), " admin="); ok {
			p.admin, _, _ = strings.Cut(rest, "\n")
		}
		return ok && whole
	})
}

// signalAndWait sends a signal and waits until the program exits.
func (r *rig) signalAndWait(signal syscall.Signal) {
	r.Helper()
	if err := r.p.cmd.Process.Signal(signal); err != nil {
		r.Fatal(err)
	}
	r.waitExit()
	if signal == syscall.SIGTERM {
		if got := r.p.cmd.ProcessState.ExitCode(); got != 0 {
			r.Fatalf("%v: r.p.cmd.ProcessState.ExitCode() = %d, want 0", r.p.logText(), got)
		}
	}
}

func (r *rig) waitExit() {
	r.Helper()
	select {
	case <-r.p.done:
	case <-time.After(waitTimeout):
		r.Fatalf("the program does not exit:\n%s", r.p.logText())
	}
}

// waitTimeout limits every wait. It is long because the machine may be busy.
const waitTimeout = 2 * time.Minute

// until waits until a condition is true.
func (r *rig) until(what string, condition func() bool) {
	r.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(waitTimeout)
	defer deadline.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.Fatalf("%s: timeout after %s; log of the program:\n%s", what, waitTimeout, r.p.logText())
		}
	}
}

// untilStatus waits until a commit has a status with the given state, and returns
// the status and the path of its build's page.
func (r *rig) untilStatus(commit, state string) (commitStatus, string) {
	r.Helper()
	var last commitStatus
	r.until("status "+state+" of "+commit, func() bool {
		_, last = r.hub.statusesOf(commit)
		return last.State == state
	})
	path, ok := strings.CutPrefix(last.TargetURL, "http://ci.example.com/ci")
	if !ok {
		r.Fatalf("%v", last.TargetURL)
	}
	return last, path
}

// waitForGate makes a command wait until openGate is called.
const waitForGate = "\nuntil [ -e $GATE ]; do sleep 0.02; done\n"
