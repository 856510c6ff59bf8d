package main

import (
	"strings"
	"testing"
)

// startAdmin starts the program with -admin-addr.
func startAdmin(t *testing.T, addr string, env ...string) adminStart {
	t.Helper()
	cmd := programIn(t, home(t), "-addr", "127.0.0.1:0", "-admin-addr", addr)
	cmd.Env = append(cmd.Env, env...)
	p := startCommand(t, cmd)
	_, rest, _ := strings.Cut(p.log.String(), " admin=")
	admin, _, _ := strings.Cut(rest, "\n")
	return adminStart{admin + inspectPath, p.url, func() { p.stop(t) }}
}

// refuse runs a start that fails.
func refuse(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := programIn(t, home(t), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
