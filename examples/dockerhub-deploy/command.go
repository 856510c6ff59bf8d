package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A command runs a program without a shell.
type command struct {
	path string
	// env is the complete environment of the program, so it does not contain the
	// webhook's token.
	env []string
	// timeout is the maximum time of one run. After that it fails with
	// errCommandTimeout.
	timeout time.Duration
}

// errCommandTimeout means that a run was killed after its timeout. It says nothing
// about the image.
var errCommandTimeout = errors.New("command timeout")

// selectEnv returns the variables of this process with the given names. A name
// that ends in * selects all variables with that prefix.
func selectEnv(names ...string) []string {
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		for _, want := range names {
			prefix, all := strings.CutSuffix(want, "*")
			if name == want || all && strings.HasPrefix(name, prefix) {
				env = append(env, variable)
				break
			}
		}
	}
	return env
}

// dockerEnvironment lists the variables that the docker program reads: the address
// of the engine and the location of the credentials.
var dockerEnvironment = []string{"PATH", "HOME", "DOCKER_*", "COMPOSE_*", "SSH_AUTH_SOCK", "XDG_*"}

// run runs the program and returns its standard output.
func (c command) run(ctx context.Context, stdin string, args ...string) (string, error) {
	out, _, err := c.runCaptured(ctx, stdin, args...)
	return out, err
}

// runCaptured runs the program and returns its standard output and the end of its
// standard error. An error contains the latter and the command's name, but never
// the environment or the input. Exit status 0 means success even if a process that
// the program leaves running keeps the output open: the output is closed after 5
// seconds.
func (c command) runCaptured(ctx context.Context, stdin string, args ...string) (out, stderrTail string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("%w: killed after %s", errCommandTimeout, c.timeout))
	defer cancel()
	var stdout bytes.Buffer
	var stderr tail
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Env = c.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	setProcessGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return stdout.String(), stderr.oneLine(), nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return stdout.String(), stderr.oneLine(), fmt.Errorf("%s: %w: %s", c.displayName(args), err, stderr.oneLine())
}

// displayName returns a name for errors: the program and its first two arguments
// that are not flags.
func (c command) displayName(args []string) string {
	words := []string{filepath.Base(c.path)}
	for _, arg := range args {
		if len(words) < 3 && !strings.HasPrefix(arg, "-") {
			words = append(words, arg)
		}
	}
	return strings.Join(words, " ")
}

// maxTail is the maximum number of bytes that a tail keeps.
const maxTail = 1 << 10

// A tail is an io.Writer that keeps the end of what is written to it.
type tail struct{ buf []byte }

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if excess := len(t.buf) - maxTail; excess > 0 {
		t.buf = append(t.buf[:0], t.buf[excess:]...)
	}
	return len(p), nil
}

// oneLine returns the kept text with all white space replaced by single spaces.
func (t *tail) oneLine() string { return strings.Join(strings.Fields(string(t.buf)), " ") }
