//go:build unix && !linux

package main

import (
	"os"
	"syscall"
)

func ownProgram() (string, error) { return os.Executable() }

// accountsWork: what another user's command left behind would not be found here.
const accountsWork = false

// adoptOrphans does nothing: they belong to init here.
func adoptOrphans() error { return nil }

func dropRights() error { return nil }

// hideMemory does nothing: here commands may be able to read the environment
// that we were started with.
func hideMemory() error { return nil }

// killAll kills the group that the command was started in, and not what has left
// it.
func killAll(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
