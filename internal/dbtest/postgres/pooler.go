package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// ErrNoPooler is the error of Pooler if pgbouncer is not installed. It says how to install
// it.
var ErrNoPooler = errors.New("pgbouncer, which is not installed; get it: apt-get install pgbouncer, or brew install pgbouncer")

// A Pooler is pgbouncer in front of a server: many clients share few connections, each for
// one transaction. Only DSN is safe for concurrent use.
type Pooler struct {
	root  string
	port  int
	cmd   *exec.Cmd
	log   record
	ended chan struct{}
}

// poolerConfig has the server's port, the folder, and the port.
const poolerConfig = `[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 10
max_db_connections = 100
server_idle_timeout = 5
`

// Pooler starts pgbouncer in transaction mode for the given users and hookhouse. The caller must call Stop.
func (s *Server) Pooler(ctx context.Context, users []string) (*Pooler, error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			return nil, ErrNoPooler
		}
	}
	p := new(Pooler)
	for range 5 { // another process may take the port
		if err = p.start(ctx, program, s, users); err == nil {
			return p, nil
		}
		p.Stop()
		if !strings.Contains(p.log.String(), "in use") {
			break
		}
	}
	return nil, err
}

func (p *Pooler) start(ctx context.Context, program string, s *Server, users []string) (err error) {
	if p.root, err = os.MkdirTemp(filepath.Dir(s.root), "hookhouse-pgbouncer-"); err != nil {
		return err
	}
	if p.port, err = freePort(); err != nil {
		return err
	}
	var list strings.Builder
	for _, user := range append([]string{"hookhouse"}, users...) {
		fmt.Fprintf(&list, "%q %q\n", user, "")
	}
	passwords, config := filepath.Join(p.root, "users.txt"), filepath.Join(p.root, "pgbouncer.ini")
	if err := os.WriteFile(passwords, []byte(list.String()), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(config, fmt.Appendf(nil, poolerConfig, s.port, p.port, passwords), 0o644); err != nil {
		return err
	}
	p.cmd = exec.Command(program, config)
	if p.cmd.SysProcAttr, err = attributes(p.root); err != nil {
		return err
	}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr, p.cmd.WaitDelay = p.root, &p.log, &p.log, 10*time.Second
	if err := p.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.ended = ended
	go func(cmd *exec.Cmd) {
		defer close(ended)
		_ = cmd.Wait() // killed, or as the log says
	}(p.cmd)
	return p.wait(ctx)
}

// wait returns when the pooler passes a statement on.
func (p *Pooler) wait(ctx context.Context) error {
	db, err := sql.Open("pgx", p.DSN("hookhouse"))
	if err != nil {
		return err
	}
	defer db.Close()
	ended := false
	late := wait.Until(ctx, "pgbouncer answers", func() bool {
		select {
		case <-p.ended:
			ended = true
			return true
		default:
			err = db.PingContext(ctx)
			return err == nil
		}
	})
	if ended {
		late = errors.New("pgbouncer has ended")
	}
	if late != nil {
		return fmt.Errorf("%w: %w\n%s", late, err, p.log.String())
	}
	return nil
}

// Stop ends the pooler and deletes its folder.
func (p *Pooler) Stop() {
	if p.ended != nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // at once; it may have ended
		<-p.ended
	}
	if p.root != "" {
		_ = os.RemoveAll(p.root)
	}
}

// DSN returns the DSN of a user by way of the pooler, as a program needs it there: nothing is
// prepared, and no setting is for the session.
func (p *Pooler) DSN(user string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/postgres?sslmode=disable&default_query_exec_mode=exec", user, p.port)
}
