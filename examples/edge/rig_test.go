package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the built program, and rabbit the server of the tests. rabbit is nil if RabbitMQ or
// PostgreSQL is not installed.
var (
	program string
	rabbit  *rabbitNode
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "edge")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "edge")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	node, err := startRabbitMQ()
	if err == nil {
		defer node.stop()
		var stop func()
		if stop, err = startPostgres(); err == nil {
			defer stop()
		}
	}
	switch missing := errors.Is(err, errNoRabbitMQ) || errors.Is(err, errNoPostgres); {
	case err == nil:
		rabbit = node
	case missing && os.Getenv("CI") != "true":
		fmt.Println("left out: the tests of edge on", err)
	default:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// patience limits a wait. A machine under load needs it.
const patience = 3 * time.Minute

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("after %v there is not: %s", patience, what)
		}
	}
}

// execute runs the program until it exits.
func execute(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = t.TempDir(), env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A process is the running program.
type process struct {
	cmd   *exec.Cmd
	done  chan struct{} // closed when the process has written all
	lines func(text string)

	mu         sync.Mutex
	log        []string
	started    bool
	url, admin string // of an edge, and of -admin-addr
}

// start runs the program in dir and waits until it has started. Each line of its standard
// output is given to lines. It is killed at the end of the test, if it still runs.
func start(t *testing.T, dir string, env []string, lines func(text string), args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), done: make(chan struct{}), lines: lines}
	p.cmd.Dir, p.cmd.Env = dir, env
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
	go p.read(stdout, stderr)
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.kill(t)
		}
		if t.Failed() {
			t.Logf("the log of %q:\n%s", p.cmd.Args[1:], p.logged())
		}
	})
	eventually(t, fmt.Sprintf("a start of %q", args), func() bool {
		select {
		case <-p.done:
			t.Fatalf("%q has ended:\n%s", args, p.logged())
		default:
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.started
	})
	return p
}

func (p *process) read(stdout, stderr io.Reader) {
	var both sync.WaitGroup
	both.Go(func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines(s.Text())
		}
	})
	both.Go(func() {
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.note(s.Text())
		}
	})
	both.Wait()
	close(p.done)
}

// note keeps a line of the log.
func (p *process) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, text)
	if _, url, ok := strings.Cut(text, "listening admin="); ok {
		p.admin = url
	}
	if _, url, ok := strings.Cut(text, "listening url="); ok {
		p.url, p.started = url, true
	}
	if strings.Contains(text, "started edge=false") {
		p.started = true
	}
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// kill ends the process as kill -9 does.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-p.done
	_ = p.cmd.Wait() // it was killed
}

// stop ends the process in order, and requires that it ends well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.done
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.logged())
	}
}
