package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program is the built program.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, name)
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A process is the running program.
type process struct {
	cmd   *exec.Cmd
	url   string
	admin string // URL of -admin-addr, if it is set
	out   *bufio.Scanner
	log   []string // complete when logged is closed

	logged chan struct{}
}

// secret is the secret of the sender.
const secret = "s3cret,0123456789"

// start runs the program in dir and waits until it listens.
func start(t *testing.T, dir string, env ...string) *process {
	t.Helper()
	return startWith(t, dir, env)
}

// startWith is start with further arguments.
func startWith(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0"}, args...)
	p := &process{logged: make(chan struct{}), cmd: exec.CommandContext(t.Context(), program, args...)}
	p.cmd.Dir = dir
	p.cmd.Env = env
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
		p.log = append(p.log, log.Text())
		if _, url, ok := strings.Cut(log.Text(), "listening admin="); ok {
			p.admin = url
		}
		if _, url, ok := strings.Cut(log.Text(), "listening url="); ok {
			p.url = url
			go func() {
				defer close(p.logged)
				for log.Scan() {
					p.log = append(p.log, log.Text())
				}
			}()
			return p
		}
	}
	t.Fatal("the program does not listen")
	return nil
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
	<-p.logged
	err := p.cmd.Wait()
	if signal == syscall.SIGTERM {
		if err != nil {
			t.Fatal(err)
		}
	}
	return rest
}
