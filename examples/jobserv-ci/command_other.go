//go:build !unix

package main

import "os/exec"

// inGroup and killGroup do nothing where there are no process groups: there
// cmd alone is killed when its context ends.
func inGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
