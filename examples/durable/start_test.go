package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// execute runs the program until it exits.
func execute(t *testing.T, dir string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestInvalidStart(t *testing.T) {
	good := []string{"GITHUB_WEBHOOK_SECRET=" + secret}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no secret", nil, nil, "GITHUB_WEBHOOK_SECRET is not set"},
		{"no secret to check", nil, []string{"-check"}, "GITHUB_WEBHOOK_SECRET is not set"},
		{"a short secret", []string{"GITHUB_WEBHOOK_SECRET=Aq7"}, nil, "GITHUB_WEBHOOK_SECRET: secret 1 of 1 has fewer than 16 characters"},
		{"a missing file", []string{"GITHUB_WEBHOOK_SECRET_FILE=/nowhere"}, nil, "GITHUB_WEBHOOK_SECRET_FILE: open /nowhere"},
		{"an unknown flag", good, []string{"-x"}, "not defined: -x"},
		{"an argument", good, []string{"x"}, "unexpected argument"},
		{"a database in a missing folder", good, []string{"-db", "nowhere/x.db"}, "nowhere/x.db: no such file"},
		{"a check of it", good, []string{"-check", "-db", "nowhere/x.db"}, "-db: no file can be created in nowhere"},
		{"an invalid address", good, []string{"-addr", "nowhere"}, "nowhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := execute(t, t.TempDir(), tt.env, tt.args...)
			if err == nil || !strings.Contains(out, tt.says) || strings.Contains(out, "s3cret") {
				t.Errorf("%v, output %s, want an error with %q and no secret", err, out, tt.says)
			}
		})
	}
}

func TestHelpVersionAndCheck(t *testing.T) {
	dir := t.TempDir()
	for arg, want := range map[string]string{"-help": "GITHUB_WEBHOOK_SECRET_FILE", "-version": "durable ", "-check": "are fine"} {
		out, err := execute(t, dir, []string{"GITHUB_WEBHOOK_SECRET=" + secret}, arg)
		if err != nil || !strings.Contains(out, want) || strings.Contains(out, secret) {
			t.Errorf("%s: %v, %s, want %q", arg, err, out, want)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("created %v, %v", files, err)
	}
}

func TestDatabaseIsPrivateAndWrongPathIsLogged(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "GITHUB_WEBHOOK_SECRET="+secret)
	for path, want := range map[string]int{"/healthz": 200, "/hooks/other": 404, "/hooks/github/" + secret: 404} {
		res, err := http.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, res.StatusCode, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "durable.db*"))
	if err != nil || len(files) != 3 {
		t.Errorf("%v %v", files, err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", name, info.Mode(), err)
		}
	}
	p.stop(t, syscall.SIGTERM)
	log := strings.Join(p.log, "\n")
	for _, want := range []string{"live=1", "the comma is part of the secret", "path=/hooks/other ", "path=/hooks/github/... "} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not contain %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, secret) {
		t.Errorf("the log shows the secret:\n%s", log)
	}
}
