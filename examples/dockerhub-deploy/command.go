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

// A command is a program that is run to do the work, without a shell.
type command struct {
	path string
	// env is all of its environment: a program that is started here does not see
	// the token of the webhook.
	env []string
	// limit is how long one run may take. Then it ends with errTooLong.
	limit time.Duration
}

// errTooLong: a run was killed when its time was up, which says nothing of what
// it was about.
var errTooLong = errors.New("took too long")

// environment returns those variables of this process that are named, or that
// begin with a name that ends in *.
func environment(names ...string) []string {
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

// dockerEnvironment is what the docker program reads: where the engine is, and
// where the credentials are.
var dockerEnvironment = []string{"PATH", "HOME", "DOCKER_*", "COMPOSE_*", "SSH_AUTH_SOCK", "XDG_*"}

// run returns what the program says on its standard output.
func (c command) run(ctx context.Context, stdin string, args ...string) (string, error) {
	out, _, err := c.both(ctx, stdin, args...)
	return out, err
}

// both returns what the program says on its standard output, and the end of what
// it says to standard error. An error has the latter and the name of the run;
// never the environment or the input. Exit status 0 is no error, also
// where something that the program leaves running keeps its output open: that is
// closed after a while.
func (c command) both(ctx context.Context, stdin string, args ...string) (out, complaint string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limit, fmt.Errorf("%w: killed after %s", errTooLong, c.limit))
	defer cancel()
	var said bytes.Buffer
	var complained tail
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Env = c.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &said, &complained
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return said.String(), complained.text(), nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return said.String(), complained.text(), fmt.Errorf("%s: %w: %s", c.name(args), err, complained.text())
}

// name is what a person calls a run: the program and its first words, without
// flags.
func (c command) name(args []string) string {
	words := []string{filepath.Base(c.path)}
	for _, arg := range args {
		if len(words) < 3 && !strings.HasPrefix(arg, "-") {
			words = append(words, arg)
		}
	}
	return strings.Join(words, " ")
}

// maxTail is how much of a program's complaint is kept.
const maxTail = 1 << 10

// A tail keeps the end of what is written to it.
type tail struct{ kept []byte }

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// text is what was kept on one line.
func (t *tail) text() string { return strings.Join(strings.Fields(string(t.kept)), " ") }
