//go:build unix && !linux

package jobs

import (
	"os"
	"syscall"
)

func executablePath() (string, error) { return os.Executable() }

// usersSupported is false, because the program cannot kill all processes of
// another user here.
const usersSupported = false

// adoptOrphans does nothing: here init adopts them.
func adoptOrphans() error { return nil }

func dropPrivileges() error { return nil }

// HideMemory does nothing: here commands may be able to read this process's
// initial environment.
func HideMemory() error { return nil }

// processOf returns "": no other user is supported here.
func processOf(User) string { return "" }

// newKiller returns a function that kills the command's process group, but not
// processes that have left the group.
func newKiller(User) (kill func(pid int, reaped bool), err error) {
	return func(pid int, _ bool) { _ = syscall.Kill(-pid, syscall.SIGKILL) }, nil
}
