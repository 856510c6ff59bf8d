//go:build !linux

package dbtest

import "syscall"

func serverAttr(string) (*syscall.SysProcAttr, error) { return nil, nil }
