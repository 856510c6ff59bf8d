//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// setProcessGroup runs a program in a new process group, which is killed when its
// context is done, so no children are left. Ctrl-C in the terminal does not
// interrupt the group.
func setProcessGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
