package broker

import (
	"bytes"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A process is a running program. ended is closed when it has ended.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts a program and waits for its end in the background.
func start(cmd *exec.Cmd) (*process, error) {
	cmd.WaitDelay = 10 * time.Second // a child may outlive it
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // killed, or as the log says
	}()
	return p, nil
}

// running reports whether the program has been started and has not ended.
func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the program at once, also a stopped one, and returns when it has ended.
func (p *process) kill() error {
	err := p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.ended
	return err
}

// A record keeps what a program prints, the last part of it.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const maxRecord = 1 << 20

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text.Len()+len(p) > maxRecord {
		r.text.Next(r.text.Len() / 2)
	}
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}
