package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// ErrNotInstalled is what Start fails with where there is no PostgreSQL. Its
// text says how to get one.
var ErrNotInstalled = errors.New("PostgreSQL, which is not installed; get it: apt-get install postgresql, or brew install postgresql")

// A Server is a PostgreSQL with one cluster, in a temporary folder. Its methods
// are for one goroutine, DSN for any.
type Server struct {
	bin  string // folder of the programs
	root string // holds the cluster
	port int
	args []string
	cmd  *exec.Cmd
	log  record
	attr *syscall.SysProcAttr
}

// Start makes a cluster and starts a server on it with further settings such as
// "shared_buffers=1GB". Stop is the caller's to call. Zero settings mean those of
// initdb, with 200 connections.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	return StartIn(ctx, "", settings...)
}

// StartIn is Start with the cluster below a folder, such as one of a memory file
// system. Empty means the folder for temporary files.
func StartIn(ctx context.Context, folder string, settings ...string) (*Server, error) {
	s := new(Server)
	if err := s.create(ctx, folder); err != nil {
		s.Stop()
		return nil, err
	}
	s.args = []string{"-D", s.data(), "-p", fmt.Sprint(s.port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200"}
	for _, setting := range settings {
		s.args = append(s.args, "-c", setting)
	}
	if err := s.Restart(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
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
	if s.port, err = freePort(); err != nil {
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

// Restart starts the server, which must not be running, on the same cluster and
// port, and returns when it answers.
func (s *Server) Restart(ctx context.Context) error {
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), s.args...)
	s.cmd.Dir, s.cmd.SysProcAttr = s.root, s.attr
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.WaitDelay = 10 * time.Second // should a child outlive it
	if err := s.cmd.Start(); err != nil {
		return err
	}
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
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("server does not answer: %w\n%s", err, s.log.String())
		}
	}
}

// Kill ends the server and all its processes at once, as a crash does: what it
// has not flushed is left to its recovery. Restart starts it again.
func (s *Server) Kill() error {
	err := killAll(s.cmd.Process.Pid)
	_ = s.cmd.Wait() // killed
	return err
}

// Stop ends the server in order and deletes its cluster.
func (s *Server) Stop() {
	if s.cmd != nil && s.cmd.Process != nil && s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = s.cmd.Wait()
	}
	if s.root != "" {
		_ = os.RemoveAll(s.root)
	}
}

// DSN names the server's database, with settings such as "search_path=x".
func (s *Server) DSN(settings ...string) string { return DSN(s.port, settings...) }

// PID is the process id of the server: of its postmaster.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// DSN names the database of a server on a port of the loopback address.
func DSN(port int, settings ...string) string {
	return fmt.Sprintf("postgres://hookhouse@127.0.0.1:%d/postgres?sslmode=disable&%s", port, strings.Join(settings, "&"))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
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
