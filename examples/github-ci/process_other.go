//go:build unix && !linux

package main

import "syscall"

// ownGroup puts a command into a process group of its own. Here nothing kills it
// when we are killed.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// killMarked does nothing: environments of other processes are Linux's to show.
func killMarked(string) (killed int) { return 0 }

// hideMemory does nothing: here commands may be able to read the environment
// that we were started with.
func hideMemory() error { return nil }
