package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// ErrNotInstalled is the error of Start if PostgreSQL is not installed. It says how to
// install it.
var ErrNotInstalled = errors.New("PostgreSQL, which is not installed; get it: apt-get install postgresql, or brew install postgresql")

// A Server is a PostgreSQL server with a cluster in a temporary folder. Only DSN is
// safe for concurrent use.
type Server struct {
	bin  string // folder of the programs
	root string // holds the cluster
	port int
	// initial are the settings that it was started with.
	initial []string
	args    []string
	cmd     *exec.Cmd
	log     record
	attr    *syscall.SysProcAttr
	// ended is closed when the process has ended; nil before the first start.
	ended <-chan struct{}
}

// Start makes a cluster and starts a server on it, with the settings of initdb, 200
// connections, and further settings such as "shared_buffers=1GB". The caller must call
// Stop.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	return StartIn(ctx, "", settings...)
}

// StartIn is Start with the cluster below a folder, such as one of a memory file
// system. If folder is empty, it uses the folder for temporary files.
func StartIn(ctx context.Context, folder string, settings ...string) (*Server, error) {
	s := &Server{initial: settings}
	err := s.create(ctx, folder)
	if err == nil {
		if err = s.startOnFreePort(ctx); err == nil {
			return s, nil
		}
	}
	s.Stop()
	return nil, err
}

// startOnFreePort starts the server for the first time. The port is free when it is chosen.
// Another process may take it before the server does.
func (s *Server) startOnFreePort(ctx context.Context) (err error) {
	for range 5 {
		if s.port, err = freePort(); err != nil {
			return err
		}
		s.args = []string{"-D", s.data(), "-p", fmt.Sprint(s.port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200"}
		for _, setting := range s.initial {
			s.args = append(s.args, "-c", setting)
		}
		if err = s.Restart(ctx); err == nil || !strings.Contains(s.log.String(), "in use") {
			return err
		}
	}
	return fmt.Errorf("server finds no free port\n%s", s.log.String())
}

// create makes the cluster below folder.
func (s *Server) create(ctx context.Context, folder string) (err error) {
	if s.bin, err = programs(); err != nil {
		return err
	}
	if s.root, err = os.MkdirTemp(folder, "hookhouse-postgres-"); err != nil {
		return err
	}
	if s.attr, err = attributes(s.root); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"),
		"-D", s.data(), "-U", "hookhouse", "-A", "trust", "-E", "UTF8", "--no-locale")
	initdb.Dir, initdb.SysProcAttr = s.root, s.attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.root, "data") }

// Restart starts the server again, on the same cluster and port, and returns when it
// answers. The server must not be running.
func (s *Server) Restart(ctx context.Context) error {
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), s.args...)
	s.cmd.Dir, s.cmd.SysProcAttr = s.root, s.attr
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.WaitDelay = 10 * time.Second // a child may outlive it
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.ended = ended
	go func(cmd *exec.Cmd) {
		defer close(ended)
		_ = cmd.Wait() // killed, or as the log says
	}(s.cmd)
	return s.wait(ctx)
}

// wait returns when the server answers.
func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", s.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var data string // of this server: another one may have the port
		if err = db.QueryRowContext(ctx, "SHOW data_directory").Scan(&data); err == nil && data == s.data() {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return fmt.Errorf("server has ended\n%s", s.log.String())
		case <-ctx.Done():
			return fmt.Errorf("server does not answer: %w\n%s", err, s.log.String())
		}
	}
}

// Kill ends the server and all its processes at once, as a crash does: recovery has to
// restore what was not flushed. Restart starts the server again.
func (s *Server) Kill() error {
	err := killAll(s.cmd.Process.Pid)
	<-s.ended
	return err
}

// Stop shuts the server down and deletes its cluster.
func (s *Server) Stop() {
	if s.ended != nil {
		_ = s.cmd.Process.Signal(syscall.SIGINT) // a fast shutdown; it may have ended
		<-s.ended
	}
	if s.root != "" {
		_ = os.RemoveAll(s.root)
	}
}

// DSN returns the DSN of the server's database, with settings such as "search_path=x".
func (s *Server) DSN(settings ...string) string { return DSN(s.port, settings...) }

// Command returns a command that runs a program of the server's installation, such as
// pg_dump.
func (s *Server) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
}

// PID returns the process id of the postmaster.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// DSN returns the DSN of the database of a server on a port of the loopback address.
func DSN(port int, settings ...string) string {
	return fmt.Sprintf("postgres://hookhouse@127.0.0.1:%d/postgres?sslmode=disable&%s", port, strings.Join(settings, "&"))
}

// freePort returns a port below those that the system gives to clients: one of these could
// take the port of a server that is down, and a client that calls it could reach itself.
func freePort() (port int, err error) {
	for range 100 {
		port = 20000 + rand.N(12000)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// A record keeps what the server prints.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}
