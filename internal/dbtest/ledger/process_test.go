package ledger

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
)

// serve lets other processes write into the ledger until the listener is
// closed.
func (l *ledger) serve(on net.Listener) error {
	server := rpc.NewServer()
	if err := server.RegisterName("Ledger", l); err != nil {
		return err
	}
	go func() {
		for {
			conn, err := on.Accept()
			if err != nil {
				return
			}
			go server.ServeConn(conn)
		}
	}()
	return nil
}

// A process is a worker process.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer // tells it to end; also when this process is gone
}

func startProcess(s store, ledgerAddr string, n int) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-ledger", ledgerAddr, "-workers", fmt.Sprint(n), "-driver", s.driver, "-dsn", s.dsn)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd, stdin}, cmd.Start()
}

// stop lets it settle what it has and end.
func (p *process) stop() error { return errors.Join(p.stdin.Close(), p.cmd.Wait()) }
