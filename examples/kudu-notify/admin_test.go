package main

import (
	"testing"
)

// startAdmin starts the program with -admin-addr.
func startAdmin(t *testing.T, addr string, env ...string) adminStart {
	t.Helper()
	r := newRig(t, "-admin-addr", addr)
	r.env = append(r.env, env...)
	p := r.start(t)
	return adminStart{p.admin + inspectPath, p.url + events[0].path, func() { p.stop(t) }}
}

// refuse runs a start that fails.
func refuse(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	r := newRig(t, args...)
	out, err := command(t, append(r.env, env...), r.args...).CombinedOutput()
	return string(out), err
}
