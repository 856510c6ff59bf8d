package env

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// Commands are what a program does by the name that is its first argument.
type Commands map[string]func(ctx context.Context, args []string) error

// Task makes a command of the bench's own processes. Its argument is T as JSON, and
// it prints the result as a line of JSON.
func Task[T any](do func(ctx context.Context, t T) (result any, err error)) func(ctx context.Context, args []string) error {
	return func(ctx context.Context, args []string) error {
		var t T
		if err := json.Unmarshal([]byte(strings.Join(args, " ")), &t); err != nil {
			return err
		}
		result, err := do(ctx, t)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(result)
	}
}

// Self returns this program as another process that does a [Task].
func Self(ctx context.Context, command string, task any) *exec.Cmd {
	me, err := os.Executable()
	if err != nil {
		me = os.Args[0]
	}
	text, err := json.Marshal(task)
	if err != nil {
		panic(err) // tasks are plain data
	}
	cmd := exec.CommandContext(ctx, me, command, string(text))
	cmd.Stderr = os.Stderr
	return cmd
}

// Pin gives cmd one processor, which is that one if taskset is installed.
func Pin(cmd *exec.Cmd, cpu int) *exec.Cmd {
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

// Placement describes for titles where a server and a generator run with [Pin].
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

// A Status is a line that the process of a server prints.
type Status struct {
	Addr   string        // in the first line
	CPU    time.Duration // processor time used so far, in the line for each one that it reads
	Stored int           // in the last line, by servers that store
}

// Serve is the process of a server, for a [Child]: it serves h on that path until
// in ends.
func Serve(path string, h http.Handler, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(path, h)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	lines := json.NewEncoder(out)
	err = lines.Encode(Status{Addr: listener.Addr().String()})
	for asked := bufio.NewScanner(in); err == nil && asked.Scan(); {
		err = lines.Encode(Status{CPU: pace.ProcessTime()})
	}
	if err = errors.Join(err, srv.Shutdown(context.Background())); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
