package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// A Process is a child that runs. Its methods are for one goroutine.
type Process struct {
	// Address is what the child gave to Ready.
	Address string

	cmd   *exec.Cmd
	stdin io.Closer
	log   tail
	read  chan struct{} // closed when everything that it printed is read
}

// Start starts this program again as a child and returns when the child calls
// [Ready]. If printed is not nil, it gets each line that the child prints, also
// those printed before a kill.
func Start[C any](ctx context.Context, config C, printed func(line string)) (*Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(program), read: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), variable+"="+string(text))
	p.cmd.Stderr = &p.log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go func() {
		defer close(p.read)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if address, ok := strings.CutPrefix(lines.Text(), ready); ok {
				listening <- address
			} else if printed != nil {
				printed(lines.Text())
			}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, wait.Timeout)
	defer cancel()
	select {
	case p.Address = <-listening:
		return p, nil
	case <-p.read:
		err = errors.New("it ended")
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.Kill()
	return nil, fmt.Errorf("process is not ready: %w\n%s", err, p.Log())
}

// Kill ends the process by SIGKILL and returns when everything that it printed
// is read.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.read
	_ = p.cmd.Wait() // killed
}

// Stop lets the process finish its work and end by itself.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.stdin.Close(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wait.Timeout)
	defer cancel()
	select {
	case <-p.read:
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("process does not end: %w\n%s", ctx.Err(), p.Log())
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("process failed: %w\n%s", err, p.Log())
	}
	return nil
}

// Log returns the last of what the process wrote to standard error.
func (p *Process) Log() string { return p.log.String() }

// A tail keeps the last bytes that are written to it: a receiver without a
// database logs every call that it refuses.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const size = 16 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-size):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
