package main

import (
	"bufio"
	"fmt"
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

func TestBuildIsCountedOnceDespiteKills(t *testing.T) {
	dir, env := t.TempDir(), "JOBSERV_WEBHOOK_SECRET=secret"
	sender := webhooktest.JobServ{Secret: webhook.NewSecret("secret")}
	build := func(id int) []byte {
		return fmt.Appendf(nil, `{"build_id": %d, "url": "https://ci.example.com/projects/acme/lmp/builds/%[1]d/", "status": "PASSED", "runs": [], "completed": "2024-02-29T12:00:00+00:00"}`, id)
	}
	const builds = 20
	p := start(t, dir, env)
	for id := range builds {
		result := sender.Deliver(t.Context(), p.url+"/hooks/jobserv", build(id))
		if !result.Delivered {
			t.Fatal("result.Delivered is false, want true")
		}
		if id%5 == 4 { // at any point between the response and the end of the handler
			p.stop(t, syscall.SIGKILL)
			p = start(t, dir, env)
			again := sender.Deliver(t.Context(), p.url+"/hooks/jobserv", build(id))
			if !again.Delivered {
				t.Fatal("again.Delivered is false, want true")
			}
		}
	}
	// The last build is counted by a process that is not killed, after all others of
	// its project.
	if !sender.Deliver(t.Context(), p.url+"/hooks/jobserv", build(builds)).Delivered {
		t.Fatal(`sender.Deliver(p.url+"/hooks/jobserv", build(builds)).Delivered is false, want true`)
	}
	want := fmt.Sprintf("acme/lmp was built %d times", builds+1)
	for got := ""; got != want; got = p.next(t) {
		if got == fmt.Sprintf("acme/lmp was built %d times", builds+2) {
			t.Fatalf("got = %q, want another than %q", got, fmt.Sprintf("acme/lmp was built %d times", builds+2))
		}
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("a build was counted twice: p.stop(syscall.SIGTERM) = %v, want empty", got)
	}
}
