//go:build !linux

package postgres

import "syscall"

func attributes(string) (*syscall.SysProcAttr, error) { return nil, nil }

// killAll makes the postmaster end at once, with its children.
func killAll(pid int) error { return syscall.Kill(pid, syscall.SIGQUIT) }
