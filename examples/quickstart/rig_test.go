package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program is the built quickstart.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "quickstart")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A printedLine is a line whose summary is not decoded.
type printedLine struct {
	line
	Summary json.RawMessage `json:"summary"`
}

func lines(t *testing.T, out string) []printedLine {
	t.Helper()
	var all []printedLine
	for text := range strings.Lines(out) {
		var l printedLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("stdout has %q: %v", text, err)
		}
		all = append(all, l)
	}
	return all
}

// execute runs the program until it exits.
func execute(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = t.TempDir() // the default folder of hookhouse.db
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}

// A process is a running quickstart.
type process struct {
	cmd   *exec.Cmd
	url   string
	admin string      // URL of -admin-addr, if it is set
	home  chan string // gets the URL of the inspector when a demo has ended
	out   *bufio.Scanner
	log   *bytes.Buffer // complete after stop
	done  chan struct{} // closed when log is complete
}

// start starts the program, waits until it listens, and leaves it running until
// stop.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: command(t, env, args...), home: make(chan string, 1), log: new(bytes.Buffer), done: make(chan struct{})}
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
	listening := make(chan string, 1)
	go func() {
		defer close(p.done)
		defer close(listening)
		defer close(p.home)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.log.WriteString(s.Text() + "\n")
			if _, url, ok := strings.Cut(s.Text(), "msg=listening admin="); ok {
				p.admin = url
			}
			if _, url, ok := strings.Cut(s.Text(), " inspector="); ok {
				p.home <- url
			}
			if _, url, ok := strings.Cut(s.Text(), "msg=listening url="); ok {
				listening <- url
			}
		}
	}()
	var ok bool
	if p.url, ok = <-listening; !ok {
		t.Fatalf("did not listen:\n%s", p.log)
	}
	return p
}

// next returns the next line of standard output.
func (p *process) next(t *testing.T) line {
	t.Helper()
	if !p.out.Scan() {
		t.Fatalf("no more output: %v", p.out.Err())
	}
	return lines(t, p.out.Text())[0].line
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-p.done
	return p.cmd.Wait()
}

func status(t *testing.T, method, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}
