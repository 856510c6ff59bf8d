package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// startPostgres starts a PostgreSQL server of the tests' own, sets postgresURL, and
// returns a func that stops it. The server ends with this process.
func startPostgres() (stop func(), err error) {
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if path, err := exec.LookPath("postgres"); err == nil {
		programs = append(programs, filepath.Dir(path))
	}
	if err != nil || len(programs) == 0 {
		return func() {}, errors.Join(err, errNoPostgres)
	}
	bin := slices.Max(programs)
	dir, err := os.MkdirTemp("", "hookhouse-postgres")
	if err != nil {
		return nil, err
	}
	as, err := notRoot("postgres", dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "hookhouse", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", "")
	var log bytes.Buffer
	server.Dir, server.SysProcAttr, server.Stdout, server.Stderr = dir, as, &log, &log
	if err := server.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = server.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
	url := fmt.Sprintf("postgres://hookhouse@127.0.0.1:%d/postgres", port)
	if err := untilItAnswers(url); err != nil {
		stop()
		return nil, fmt.Errorf("%w\n%s", err, &log)
	}
	postgresURL = url
	return stop, nil
}

// notRoot returns the attributes of a process that ends with this one and runs as a user with
// that name in place of root, which PostgreSQL refuses. It gives dir to the user.
func notRoot(name, dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, errors.Join(uidErr, gidErr, os.Chown(dir, uid, gid))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func untilItAnswers(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
