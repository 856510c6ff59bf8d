package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// startAdmin starts the program with -admin-addr.
func startAdmin(t *testing.T, addr string, env ...string) adminStart {
	t.Helper()
	h := newExecHost(t, "latest", "", "-admin-addr", addr)
	h.env = append(h.env, env...)
	h.start()
	_, rest, _ := strings.Cut(h.logText(), "msg=listening admin=")
	admin, _, _ := strings.Cut(rest, "\n")
	return adminStart{admin + inspectPath, h.url + "/hooks/dockerhub/wrong", func() {
		if err := h.program.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-h.done
		if status := h.program.ProcessState.ExitCode(); status != 0 {
			t.Errorf("exit status %d", status)
		}
	}}
}

// refuse runs a start that fails.
func refuse(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	h := newExecHost(t, "latest", "", args...)
	out, status := h.run(strings.Join(append(env, "DOCKERHUB_WEBHOOK_TOKEN="+token), "\n"), h.args...)
	if status == 0 {
		return out, nil
	}
	return out, fmt.Errorf("exit status %d", status)
}
