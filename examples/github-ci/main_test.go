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

	"github.com/stretchr/testify/require"
)

// program is the built github-ci.
var program string

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == supervise { // of a command that a test runs by itself
		superviseMain(os.Args[2:])
	}
	dir, err := os.MkdirTemp("", "github-ci")
	if err != nil {
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

const hookSecret = "a secret that GitHub knows"

// A rig is a stand-in for GitHub with one repository, and a folder in which the
// program is started, killed and started again.
type rig struct {
	*testing.T
	hub  *standIn
	repo *repository
	dir  string
	gate string // commands wait until this file is there
	runs string // commands append to it
	args []string
	via  []string             // what starts the program; Zero means nothing.
	env  []string             // more than usual
	attr *syscall.SysProcAttr // Zero means as ourselves.
	p    *process
}

// newRig writes a configuration whose command may name $GATE and $RUNS.
func newRig(t *testing.T, command string, more ...string) *rig {
	t.Helper()
	t.Parallel()
	hub, dir := newStandIn(t), t.TempDir()
	r := &rig{T: t, hub: hub, repo: hub.repository(t, "acme/app"), dir: dir, gate: filepath.Join(dir, "gate"), runs: filepath.Join(dir, "runs")}
	command = strings.NewReplacer("$GATE", r.gate, "$RUNS", r.runs).Replace(command)
	config := fmt.Sprintf("repositories:\n  - name: acme/app\n    remote: %s/git/acme/app.git\n    branches: [main, 'release/**', 'ugly/**']\n    tags: ['v*']\n    command: %s\n",
		hub.URL, quoted(command))
	r.write("github-ci.yaml", config+strings.Join(more, ""))
	return r
}

// quoted is text as JSON, which is YAML as well.
func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

func (r *rig) write(name, text string) {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644))
}

func (r *rig) read(name string) string {
	text, _ := os.ReadFile(name)
	return string(text)
}

func (r *rig) open() { r.write("gate", "") }

// A process is the running program.
type process struct {
	cmd *exec.Cmd
	url string

	mu   sync.Mutex
	log  bytes.Buffer
	done chan struct{} // closed when log is complete
}

func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (r *rig) command(args ...string) *exec.Cmd {
	args = slices.Concat(r.via, []string{program}, args)
	cmd := exec.CommandContext(r.Context(), args[0], args[1:]...)
	cmd.Dir = r.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GITHUB_WEBHOOK_SECRET=" + hookSecret, "GITHUB_TOKEN=" + token, "LEAK=must not be seen"}
	return cmd
}

// start runs the program and waits until it listens.
func (r *rig) start() {
	r.Helper()
	args := append([]string{"-addr", "127.0.0.1:0", "-data", "data", "-url", "http://ci.example.com/ci", "-api", r.hub.URL + "/api/v3"}, r.args...)
	p := &process{cmd: r.command(args...), done: make(chan struct{})}
	p.cmd.Env, p.cmd.SysProcAttr = append(p.cmd.Env, r.env...), r.attr
	p.cmd.Stderr = p
	require.NoError(r, p.cmd.Start())
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	r.p = p
	r.until("the program listens", func() bool {
		select {
		case <-p.done:
			r.Fatalf("the program has ended:\n%s", p.said())
		default:
		}
		_, rest, ok := strings.Cut(p.said(), "msg=listening url=")
		url, _, whole := strings.Cut(rest, "\n")
		p.url = url
		return ok && whole
	})
}

// end sends a signal and waits for the end of the program.
func (r *rig) end(signal syscall.Signal) {
	r.Helper()
	require.NoError(r, r.p.cmd.Process.Signal(signal))
	r.ended()
	if signal == syscall.SIGTERM {
		require.Zero(r, r.p.cmd.ProcessState.ExitCode(), r.p.said())
	}
}

func (r *rig) ended() {
	r.Helper()
	select {
	case <-r.p.done:
	case <-time.After(patience):
		r.Fatalf("the program does not end:\n%s", r.p.said())
	}
}

// patience is how long anything may take on a busy machine.
const patience = 2 * time.Minute

// until waits for a condition.
func (r *rig) until(what string, condition func() bool) {
	r.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.Fatalf("%s: not after %s; the program said:\n%s", what, patience, r.p.said())
		}
	}
}

// untilStatus waits until a commit has a status, and returns its build's path.
func (r *rig) untilStatus(commit, state string) (reported, string) {
	r.Helper()
	var last reported
	r.until("status "+state+" of "+commit, func() bool {
		_, last = r.hub.of(commit)
		return last.State == state
	})
	path, ok := strings.CutPrefix(last.TargetURL, "http://ci.example.com/ci")
	require.True(r, ok, last.TargetURL)
	return last, path
}

// waitForGate is a part of commands.
const waitForGate = "\nuntil [ -e $GATE ]; do sleep 0.02; done\n"
