package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// TestMain runs the program instead of the tests if RUN_MAIN is set.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A process is the running program.
type process struct {
	cmd *exec.Cmd
	url string
	out *bufio.Scanner
}

// start runs the program in dir and waits until it listens.
func start(t *testing.T, dir string, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"RUN_MAIN=yes", "ADDR=127.0.0.1:0"}, env...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(stdout)
	log := bufio.NewScanner(stderr)
	for log.Scan() {
		if _, addr, ok := strings.Cut(log.Text(), "listening on "); ok {
			p.url = "http://" + addr
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return p
		}
	}
	t.Fatal("the program does not listen")
	return nil
}

// next returns the next line that the program prints.
func (p *process) next(t *testing.T) string {
	t.Helper()
	if !p.out.Scan() {
		t.Fatal("no more output: p.out.Scan() is false, want true")
	}
	return p.out.Text()
}

// stop sends a signal, waits for the process, and returns the rest of its output.
func (p *process) stop(t *testing.T, signal os.Signal) (rest []string) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	for p.out.Scan() {
		rest = append(rest, p.out.Text())
	}
	err := p.cmd.Wait()
	if signal == syscall.SIGTERM {
		if err != nil {
			t.Fatal(err)
		}
	}
	return rest
}

func TestPushIsDeployedOnce(t *testing.T) {
	dir, env := t.TempDir(), "GITHUB_WEBHOOK_SECRET=secret"
	body := []byte(`{"ref":"refs/heads/main","after":"9f3c1d7","repository":{"full_name":"acme/app"}}`)
	sender := webhooktest.GitHub{Secret: webhook.NewSecret("secret")}

	p := start(t, dir, env)
	first := sender.Deliver(t.Context(), p.url+"/hooks/github", "push", body)
	if !first.Delivered {
		t.Fatal("first.Delivered is false, want true")
	}
	if got := p.next(t); got != "deploy acme/app main 9f3c1d7" {
		t.Fatalf("p.next() = %q, want \"deploy acme/app main 9f3c1d7\"", got)
	}
	res, err := http.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("res.StatusCode = %d, want %d", res.StatusCode, http.StatusOK)
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("p.stop(syscall.SIGTERM) = %v, want empty", got)
	}

	p = start(t, dir, env)
	again := sender.Redeliver(t.Context(), first.GUID, p.url+"/hooks/github", "push", body)
	if !again.Delivered {
		t.Fatal("again.Delivered is false, want true")
	}
	ping := sender.Deliver(t.Context(), p.url+"/hooks/github", "ping", []byte(`{"zen":"x"}`))
	if !ping.Delivered {
		t.Fatal("ping.Delivered is false, want true")
	}
	next := sender.Deliver(t.Context(), p.url+"/hooks/github", "push", []byte(`{"ref":"refs/heads/main","after":"a11ce00","repository":{"full_name":"acme/app"}}`))
	if !next.Delivered {
		t.Fatal("next.Delivered is false, want true")
	}
	if got := p.next(t); got != "deploy acme/app main a11ce00" {
		t.Fatalf("the duplicate must not run: p.next() = %q, want \"deploy acme/app main a11ce00\"", got)
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("p.stop(syscall.SIGTERM) = %v, want empty", got)
	}
}

func TestMissingSecret(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Dir, cmd.Env = t.TempDir(), []string{"RUN_MAIN=yes"}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("err is nil, want an error")
	}
	if !strings.Contains(string(out), "GITHUB_WEBHOOK_SECRET is not set") {
		t.Fatalf("string(out) = %q, want it to contain \"GITHUB_WEBHOOK_SECRET is not set\"", string(out))
	}
}
