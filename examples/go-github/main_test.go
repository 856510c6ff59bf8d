package main

import (
	"bufio"
	"io"
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

func TestEventsAreDecodedIntoTheStructsOfGoGithub(t *testing.T) {
	p := start(t, t.TempDir(), "GITHUB_WEBHOOK_SECRET=secret")
	sender := webhooktest.GitHub{Secret: webhook.NewSecret("secret")}
	for _, call := range []struct{ event, body, want string }{
		{
			"issues", `{"action":"opened","issue":{"number":7,"title":"The door is stuck","user":{"login":"ada"}},"repository":{"full_name":"acme/app"}}`,
			"acme/app#7 opened by ada: The door is stuck",
		},
		{"issues", `{"action":"closed","issue":{"number":7},"repository":{"full_name":"acme/app"}}`, ""},
		{"pull_request_review", `{"action":"submitted","review":{"id":1,"state":"approved"},"repository":{"full_name":"acme/app"}}`, ""},
		{"push", `{"ref":"refs/heads/main","repository":{"full_name":"acme/app"}}`, ""},
		{
			"pull_request_review", `{"action":"submitted","review":{"id":2,"state":"changes_requested","body":"Add a test.","user":{"login":"grace"}},` +
				`"pull_request":{"number":8},"repository":{"full_name":"acme/app"}}`,
			"acme/app#8: grace asks for changes: Add a test.",
		},
	} {
		if sent := sender.Deliver(t.Context(), p.url+"/hooks/github", call.event, []byte(call.body)); !sent.Delivered {
			t.Fatalf("%s is not accepted: %+v", call.event, sent)
		}
		if call.want == "" {
			continue // the next line shows that nothing was printed
		}
		if got := p.next(t); got != call.want {
			t.Fatalf("the program printed %q, want %q", got, call.want)
		}
	}
	forged := webhooktest.GitHub{Secret: webhook.NewSecret("guessed")}
	if sent := forged.Deliver(t.Context(), p.url+"/hooks/github", "issues", []byte(`{"action":"opened"}`)); sent.Delivered {
		t.Error("a call with another secret is accepted")
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("the program printed %q, want no more", got)
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
