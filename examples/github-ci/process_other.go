//go:build unix && !linux

package main

import (
	"os"
	"syscall"
)

func executablePath() (string, error) { return os.Executable() }

// accountsSupported is false, because github-ci cannot kill all processes of
// another user here.
const accountsSupported = false

// adoptOrphans does nothing: here init adopts them.
func adoptOrphans() error { return nil }

func dropPrivileges() error { return nil }

// hideMemory does nothing: here commands may be able to read this process's
// initial environment.
func hideMemory() error { return nil }

// processOf returns "": no account is supported here.
func processOf(account) string { return "" }

// newKiller returns a function that kills the command's process group, but not
// processes that have left the group.
func newKiller(account) (kill func(pid int, reaped bool), err error) {
	return func(pid int, _ bool) { _ = syscall.Kill(-pid, syscall.SIGKILL) }, nil
}
