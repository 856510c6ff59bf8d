//go:build !linux

package postgres

import "syscall"

func attributes(string) (*syscall.SysProcAttr, error) { return nil, nil }

// killAll has the postmaster end itself and its children without any clean-up.
func killAll(pid int) error { return syscall.Kill(pid, syscall.SIGQUIT) }
