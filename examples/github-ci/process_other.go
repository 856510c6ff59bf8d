//go:build unix && !linux

package main

import (
	"os"
	"syscall"
)

func ownProgram() (string, error) { return os.Executable() }

// accountsWork: what another user's command left behind could not be killed here.
const accountsWork = false

// adoptOrphans does nothing: they belong to init here.
func adoptOrphans() error { return nil }

func dropRights() error { return nil }

// hideMemory does nothing: here commands may be able to read the environment
// that we were started with.
func hideMemory() error { return nil }

// processOf has no account to be asked for.
func processOf(account) string { return "" }

// newKiller returns what kills the group that the command was started in, and
// not what has left it.
func newKiller(account) (kill func(pid int, reaped bool), err error) {
	return func(pid int, _ bool) { _ = syscall.Kill(-pid, syscall.SIGKILL) }, nil
}
