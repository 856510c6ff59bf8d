package env

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Commands are what a program does by the name that is its first argument.
type Commands map[string]func(ctx context.Context, args []string) error

// Self returns this program as another process, which runs the command that args
// begin with.
func Self(ctx context.Context, args ...string) *exec.Cmd {
	me, err := os.Executable()
	if err != nil {
		me = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, me, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// SelfOn is Self with one processor, which is that one if taskset is installed.
func SelfOn(ctx context.Context, cpu int, args ...string) *exec.Cmd {
	cmd := Self(ctx, args...)
	if path, ok := taskset(); ok {
		cmd.Path = path
		cmd.Args = append([]string{path, "-c", fmt.Sprint(cpu)}, cmd.Args...)
	}
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

func taskset() (path string, ok bool) {
	path, err := exec.LookPath("taskset")
	return path, err == nil && runtime.NumCPU() > 1
}

// Placement describes for titles where the processes of SelfOn run.
func Placement() string {
	if _, ok := taskset(); ok {
		return "server on CPU 0 and generator on CPU 1"
	}
	return "server and generator with one processor each, not pinned"
}

// Result runs cmd to its end and decodes the JSON that it prints.
func Result(cmd *exec.Cmd, to any) error {
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return json.Unmarshal(out, to)
}

// A Child is a process that prints a line of JSON when it is ready and one for
// each line that it reads, and that ends with its input.
type Child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// Start starts cmd and decodes its first line.
func Start(cmd *exec.Cmd, first any) (*Child, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &Child{cmd, in, json.NewDecoder(out)}
	if err := c.out.Decode(first); err != nil {
		return nil, fmt.Errorf("a process that did not start: %w", errors.Join(err, c.End(nil)))
	}
	return c, nil
}

// Ask writes a line and decodes the one that the process answers with.
func (c *Child) Ask(answer any) error {
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		return err
	}
	return c.out.Decode(answer)
}

// End closes the input, decodes what the process prints last, if last is not nil,
// and waits for its end.
func (c *Child) End(last any) error {
	_ = c.in.Close()
	var err error
	if last != nil {
		err = c.out.Decode(last)
	}
	return errors.Join(err, c.cmd.Wait())
}

// Kill ends the process without its consent. After End it does nothing.
func (c *Child) Kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// Used returns the processor time of the process. It is known after End.
func (c *Child) Used() time.Duration {
	return c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
}
