package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// attributes makes the server end with its parent. If the parent runs as root, which
// the server refuses, the server runs as user postgres, who gets dir.
func attributes(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}

// killAll kills a postmaster and its children, which would live on for a while. It
// stops the postmaster first, so that it starts no new ones.
func killAll(pid int) error {
	if err := signalAll(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	return signalFamily(pid, syscall.SIGKILL)
}

// signalAll signals a postmaster and its children. It signals the postmaster first, so that a
// stopped one starts no new ones.
func signalAll(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil {
		return err
	}
	if sig == syscall.SIGSTOP {
		if err := waitStopped(pid); err != nil {
			return err
		}
	}
	return signalFamily(pid, sig)
}

// signalFamily signals the children of a postmaster, and then the postmaster.
func signalFamily(pid int, sig syscall.Signal) error {
	family, err := children(pid)
	for _, child := range append(family, pid) {
		if e := syscall.Kill(child, sig); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// waitStopped returns when SIGSTOP has taken effect, which is later than kill
// returns.
func waitStopped(pid int) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	late := wait.Until(ctx, fmt.Sprintf("process %d stops", pid), func() bool {
		var state string
		state, _, err = status(pid)
		return err != nil || state == "T"
	})
	return errors.Join(err, late)
}

func children(pid int) (found []int, err error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		child, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			return nil, err
		}
		if _, parent, err := status(child); err == nil && parent == pid { // otherwise it has ended, or has another parent
			found = append(found, child)
		}
	}
	return found, nil
}

// status reads the state and the parent of a process.
func status(pid int) (state string, parent int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	// The format is: pid (name) state parent ... A name may contain brackets.
	_, err = fmt.Sscan(string(text[bytes.LastIndexByte(text, ')')+1:]), &state, &parent)
	return state, parent, err
}
