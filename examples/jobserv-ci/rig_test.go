package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// program is the built jobserv-ci.
var program string

// buildFlags are the flags of go build.
var buildFlags []string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "jobserv-ci")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "jobserv-ci")
	args := append([]string{"build", "-o", program}, buildFlags...)
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// secret is the secret of the webhook.
const secret = "s3cret,0123456789"

// waitTimeout is the timeout of eventually.
const waitTimeout = 60 * time.Second

// An output collects what a process writes. It can be read while the process runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// A process is a running jobserv-ci.
type process struct {
	cmd      *exec.Cmd
	url      string // URL of the hook
	out, log output
}

// home returns a folder with a secret file that ends with a newline, as editors
// write it.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "webhook-secret"), secret+"\n", 0o600)
	return dir
}

func programIn(t *testing.T, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PRIVATE=must-not-be-inherited"}
	return cmd
}

// start runs the program in dir and waits until it listens. It is killed when
// the test ends.
func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	return startCommand(t, programIn(t, dir, append([]string{"-addr", "127.0.0.1:0"}, args...)...))
}

// startCommand is start with a command that runs the program.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	p.cmd.WaitDelay = time.Second // processes that a killed program started may keep its output open
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("stdout of the program:\n%s\nits log:\n%s", &p.out, &p.log)
		}
	})
	eventually(t, "the program listens", func() bool {
		_, rest, ok := strings.Cut(p.log.String(), "msg=listening url=")
		p.url, _, _ = strings.Cut(rest, "\n")
		return ok
	})
	return p
}

// prints waits until standard output has text.
func (p *process) prints(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the program prints "+text, func() bool { return strings.Contains(p.out.String(), text) })
}

// stop stops the program with SIGTERM and returns its whole standard output.
func (p *process) stop(t *testing.T) string {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("the program must exit with status 0: %v", err)
	}
	return p.out.String()
}

// kill kills the program with SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err == nil {
		t.Fatal("p.cmd.Wait() is nil, want an error")
	}
}

// deliver sends a body as JobServ does, and fails the test unless the first
// attempt is accepted.
func (p *process) deliver(t *testing.T, body []byte) {
	t.Helper()
	sender := webhooktest.JobServ{Secret: webhook.NewSecret(secret)}
	sent := sender.Deliver(t.Context(), p.url, body)
	if !sent.Delivered {
		t.Fatalf("%+v: sent.Delivered is false, want true", sent)
	}
	if len(sent.Attempts) != 1 {
		t.Fatalf("len(sent.Attempts) = %d, want 1: %v", len(sent.Attempts), sent.Attempts)
	}
	if sent.Attempts[0].Status != http.StatusAccepted {
		t.Fatalf("sent.Attempts[0].Status = %d, want %d", sent.Attempts[0].Status, http.StatusAccepted)
	}
}

// get returns the status and the body of another page of the program.
func (p *process) get(t *testing.T, page string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(p.url, "/webhook")+page, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// counts waits until the metrics contain a line.
func (p *process) counts(t *testing.T, line string) {
	t.Helper()
	eventually(t, "the metrics contain "+line, func() bool {
		_, text := p.get(t, "/metrics")
		return strings.Contains(text, line+"\n")
	})
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("timeout after %s: %s", waitTimeout, what)
		case <-tick.C:
		}
	}
}

// results decodes the output of -json.
func results(t *testing.T, out string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// read returns the content of a file, or "" if it does not exist.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if !errors.Is(err, os.ErrNotExist) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return string(text)
}

// terminate sends SIGTERM and does not wait.
func terminate(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// reachable reports whether the program accepts connections.
func reachable(t *testing.T, p *process) bool {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), "/webhook"))
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// exited reports whether the process with that pid has exited.
func exited(t *testing.T, pid string) bool {
	t.Helper()
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	return errors.Is(syscall.Kill(number, 0), syscall.ESRCH)
}
