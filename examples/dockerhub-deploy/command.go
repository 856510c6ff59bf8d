package main

import (
	"bytes"
	"context"
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
	dir string // empty: this process's
}

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

// run returns what the program says on its standard output. An error has the
// program, its first arguments, and the end of what it says to standard error;
// never the environment or the input.
func (c command) run(ctx context.Context, stdin string, args ...string) (string, error) {
	var out bytes.Buffer
	var complaint tail
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaint
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second // for children that keep the pipes open
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	verb := strings.Join(append([]string{filepath.Base(c.path)}, args[:min(len(args), 2)]...), " ")
	return out.String(), fmt.Errorf("%s: %w: %s", verb, err, complaint.text())
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
