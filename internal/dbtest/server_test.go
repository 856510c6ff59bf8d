package dbtest

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
	"slices"
	"strings"
	"syscall"
	"time"
)

// A server is a PostgreSQL of the tests' own.
type server struct {
	bin  string // folder of the programs
	root string // holds the cluster
	port int
	cmd  *exec.Cmd
	log  bytes.Buffer
	attr *syscall.SysProcAttr
}

var errNoServer = errors.New("PostgreSQL, which is not installed; get it: apt-get install postgresql, or brew install postgresql")

// serverPrograms returns the folder of the newest PostgreSQL there is.
func serverPrograms() (string, error) {
	var found []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/postgres",
		"/usr/local/opt/postgresql*/bin/postgres",
		"/opt/homebrew/opt/postgresql*/bin/postgres",
	} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		found = append(found, matches...)
	}
	if path, err := exec.LookPath("postgres"); err == nil && len(found) == 0 {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return "", err // initdb stands beside the program, not beside a link
		}
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", errNoServer
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// startServer makes a cluster and starts it. Stop deletes it again, also after
// an error.
func startServer(ctx context.Context) (s *server, err error) {
	s = new(server)
	if s.bin, err = serverPrograms(); err != nil {
		return s, err
	}
	if s.root, err = os.MkdirTemp("", "hookhouse-postgres-"); err != nil {
		return s, err
	}
	if s.attr, err = serverAttr(s.root); err != nil {
		return s, err
	}
	if s.port, err = freePort(); err != nil {
		return s, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"),
		"-D", s.data(), "-U", "hookhouse", "-A", "trust", "-E", "UTF8", "--no-locale")
	initdb.Dir, initdb.SysProcAttr = s.root, s.attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return s, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := s.start(); err != nil {
		return s, err
	}
	return s, s.wait(ctx)
}

func (s *server) data() string { return filepath.Join(s.root, "data") }

func (s *server) start() error {
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(),
		"-p", fmt.Sprint(s.port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200")
	s.cmd.Dir, s.cmd.SysProcAttr = s.root, s.attr
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	return s.cmd.Start()
}

// wait returns when the server answers.
func (s *server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", s.dsn())
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

func (s *server) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = s.cmd.Wait()
	}
	if s.root != "" {
		_ = os.RemoveAll(s.root)
	}
}

// dsn names a database of the server, with settings such as "search_path=x".
func (s *server) dsn(settings ...string) string {
	return fmt.Sprintf("postgres://hookhouse@127.0.0.1:%d/postgres?sslmode=disable&%s", s.port, strings.Join(settings, "&"))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
