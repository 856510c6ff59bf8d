package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Command runs a program without a shell.
type Command struct {
	Path string
	Env  []string // complete, so it does not contain the secrets of this process
	Dir  string   // working directory; if empty, that of this process
	// Timeout is the maximum time of one run. After that it fails with ErrTimeout.
	Timeout time.Duration
}

// ErrTimeout means that a run was killed after its Timeout. It says nothing about the
// image.
var ErrTimeout = errors.New("command timeout")

// The variables that programs inherit. Docker's are the address of the engine and the
// location of the credentials.
var (
	DockerEnvironment  = []string{"PATH", "HOME", "DOCKER_*", "COMPOSE_*", "SSH_AUTH_SOCK", "XDG_*"}
	ProgramEnvironment = []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"}
)

// NewCommand looks a program up. Env has the names of the variables that it inherits; a
// name that ends in * stands for all with that prefix.
func NewCommand(program string, timeout time.Duration, env ...string) (Command, error) {
	path, err := exec.LookPath(program)
	c := Command{Path: path, Timeout: timeout}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		for _, want := range env {
			prefix, all := strings.CutSuffix(want, "*")
			if name == want || all && strings.HasPrefix(name, prefix) {
				c.Env = append(c.Env, variable)
				break
			}
		}
	}
	return c, err
}

// maxOutput is the largest standard output of a command in bytes.
const maxOutput = 64 << 20

// Run runs the program and returns its standard output and the end of its standard
// error. An error contains the latter and the command's name, but never the environment
// or the input.
func (c Command) Run(ctx context.Context, stdin string, args ...string) (out, stderrTail string, err error) {
	ctx, cancel := c.withTimeout(ctx)
	defer cancel()
	stdout, stderr := bounded{limit: maxOutput}, new(tail)
	cmd := exec.CommandContext(ctx, c.Path, args...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, stderr
	if err = runGroup(ctx, cmd); err != nil {
		words := []string{filepath.Base(c.Path)} // and the first two arguments that are not flags
		for _, arg := range args {
			if len(words) < 3 && !strings.HasPrefix(arg, "-") {
				words = append(words, arg)
			}
		}
		err = fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, stderr.oneLine())
	}
	return stdout.buf.String(), stderr.oneLine(), err
}

func (c Command) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("%w: killed after %s", ErrTimeout, c.Timeout))
}

// runGroup runs a command in a process group of its own, which is killed when ctx ends.
// Exit status 0 means success even if a process that the program leaves running keeps
// the output open: the output is closed after 5 seconds.
func runGroup(ctx context.Context, cmd *exec.Cmd) error {
	setProcessGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	default:
		return err
	}
}

// A bounded is a buffer that refuses more than limit bytes. It does not embed its Buffer,
// whose ReadFrom has no limit.
type bounded struct {
	buf   bytes.Buffer
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > b.limit {
		return 0, fmt.Errorf("output of more than %d bytes", b.limit)
	}
	return b.buf.Write(p)
}

// maxTail is the maximum number of bytes that a tail keeps.
const maxTail = 1 << 10

// A tail is an io.Writer that keeps the end of what is written to it.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p[max(0, len(p)-maxTail):]...)
	if excess := len(t.buf) - maxTail; excess > 0 {
		t.buf = append(t.buf[:0], t.buf[excess:]...)
	}
	return len(p), nil
}

// oneLine returns the kept text with all white space replaced by single spaces.
func (t *tail) oneLine() string { return strings.Join(strings.Fields(string(t.buf)), " ") }
