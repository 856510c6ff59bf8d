//go:build !linux

package postgres

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func attributes(string) (*syscall.SysProcAttr, error) { return nil, nil }

// killAll makes the postmaster end at once, with its children.
func killAll(pid int) error { return syscall.Kill(pid, syscall.SIGQUIT) }

// signalAll signals the postmaster, and then its children.
func signalAll(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil {
		return err
	}
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(pid)).Output()
	if err != nil {
		return err
	}
	for _, text := range strings.Fields(string(out)) {
		child, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		if err := syscall.Kill(child, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}
