//go:build !unix

package main

import "os/exec"

// setProcessGroup and killGroup do nothing, because there are no process groups
// here: only cmd itself is killed when its context is done.
func setProcessGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
