//go:build !unix

package main

import "os/exec"

// setProcessGroup does nothing, because there are no process groups here.
func setProcessGroup(*exec.Cmd) {}
