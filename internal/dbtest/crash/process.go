package crash

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// A process is a receiver that runs. Its standard input is its life line, its
// standard output the wire to the ledger. Its methods are for one goroutine.
type process struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	log     tail
	address string
	read    chan struct{} // closed when all that it wrote is read
}

// startProcess starts this program again as a receiver and returns when that
// listens. Tell gets each line that it reports, also those from before a kill.
func startProcess(ctx context.Context, config receiver, tell func(line string)) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program), read: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), role+"="+string(text))
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
			if address, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
				listening <- address
				continue
			}
			tell(lines.Text())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case p.address = <-listening:
		return p, nil
	case <-p.read:
		err = errors.New("it ended")
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.kill()
	return nil, fmt.Errorf("crash: receiver does not listen: %w\n%s", err, p.log.String())
}

// kill ends the process by SIGKILL and returns when its last words are read.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.read
	_ = p.cmd.Wait() // killed
}

// stop has the process drain and end by itself.
func (p *process) stop(ctx context.Context) error {
	if err := p.stdin.Close(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.read:
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("crash: receiver does not end: %w\n%s", ctx.Err(), p.log.String())
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("crash: receiver ended badly: %w\n%s", err, p.log.String())
	}
	return nil
}

// pending asks how many deliveries are unfinished.
func (p *process) pending(ctx context.Context) (n int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/pending", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = fmt.Fscan(answer.Body, &n)
	return n, err
}

// A tail keeps the last of what is written to it: a receiver without a database
// logs every call that it refuses.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 16 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
