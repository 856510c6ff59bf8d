//go:build !linux

package broker

import "syscall"

func attributes(string) (*syscall.SysProcAttr, error) { return nil, nil }
