package main

import (
	"path/filepath"
	"testing"
)

// startAdmin starts the program with -admin-addr.
func startAdmin(t *testing.T, addr string, env ...string) adminStart {
	t.Helper()
	args := []string{"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "test.db"), "-admin-addr", addr}
	p := start(t, append(env, "KUDU_WEBHOOK_TOKEN="+kuduToken), args...)
	return adminStart{p.admin + inspectPath, p.url + "/hooks/kudu", func() {
		if err := p.stop(); err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
	}}
}

// refuse runs a start that fails.
func refuse(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	out, log, err := execute(t, append(env, "KUDU_WEBHOOK_TOKEN="+kuduToken), args...)
	return out + log, err
}
