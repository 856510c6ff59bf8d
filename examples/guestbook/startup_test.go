package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
	good := []string{secretName + "=" + secret}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no secret", nil, nil, secretName + " is not set"},
		{"no secret to check", nil, []string{"-check"}, secretName + " is not set"},
		{"a short secret", []string{secretName + "=Aq7"}, nil, secretName + ": secret 1 of 1 has fewer than 16 characters"},
		{"a missing file", []string{secretName + "_FILE=/nowhere"}, nil, secretName + "_FILE: open /nowhere"},
		{"an unknown flag", good, []string{"-x"}, "not defined: -x"},
		{"an argument", good, []string{"x"}, "unexpected argument"},
		{"a database in a missing folder", good, []string{"-db", "nowhere/x.db"}, "nowhere/x.db: no such file"},
		{"a check of it", good, []string{"-check", "-db", "nowhere/x.db"}, "-db: no file can be created in nowhere"},
		{"an invalid address", good, []string{"-addr", "nowhere"}, "nowhere"},
		{"an invalid admin address", good, []string{"-admin-addr", "nowhere"}, "-admin-addr: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := execute(t, t.TempDir(), tt.env, tt.args...)
			if err == nil || !strings.Contains(out, tt.says) || strings.Contains(out, "s3cret") {
				t.Errorf("%v, output %s, want an error with %q and no secret", err, out, tt.says)
			}
			if strings.Contains(tt.name, "flag") && strings.Count(out, "\n") != 1 {
				t.Errorf("output %s, want one line", out)
			}
		})
	}
}

func TestHelpVersionAndCheck(t *testing.T) {
	dir := t.TempDir()
	for arg, want := range map[string]string{"-help": secretName + "_FILE", "-version": name + " ", "-check": "are fine"} {
		out, err := execute(t, dir, []string{secretName + "=" + secret}, arg)
		if err != nil || !strings.Contains(out, want) || strings.Contains(out, secret) {
			t.Errorf("%s: %v, %s, want %q", arg, err, out, want)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("created %v, %v", files, err)
	}
}

// requireStatus calls a URL. While the workers have not begun, /healthz answers 503.
func requireStatus(t *testing.T, url string, want int) {
	t.Helper()
	for began, got := time.Now(), 0; got != want; {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got = res.StatusCode; got != want && (got != 503 || time.Since(began) > 20*time.Second) {
			t.Fatalf("%s: status %d, want %d", url, got, want)
		}
	}
}

func TestDatabaseIsPrivateAndWrongPathIsLogged(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, secretName+"="+secret)
	for path, want := range map[string]int{"/healthz": 200, "/hooks/other": 404, hookPath + "/" + secret: 404} {
		requireStatus(t, p.url+path, want)
	}
	files, err := filepath.Glob(filepath.Join(dir, name+".db*"))
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
	for _, want := range []string{"live=1", "the comma is part of the secret", "path=/hooks/other ", "path=" + hookPath + "/... "} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not contain %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, secret) {
		t.Errorf("the log shows the secret:\n%s", log)
	}
}

func TestHealthAtTheAdminAddress(t *testing.T) {
	p := startWith(t, t.TempDir(), []string{secretName + "=" + secret}, "-admin-addr", "127.0.0.1:0")
	for url, want := range map[string]int{p.url + "/healthz": 404, p.admin + "/healthz": 200, p.admin + hookPath: 404} {
		requireStatus(t, url, want)
	}
	p.stop(t, syscall.SIGTERM)
}

// startAdmin starts the program with -admin-addr.
func startAdmin(t *testing.T, addr string, env ...string) adminStart {
	t.Helper()
	p := startWith(t, t.TempDir(), append(env, secretName+"="+secret), "-admin-addr", addr)
	return adminStart{p.admin + inspectPath, p.url + hookPath, func() { p.stop(t, syscall.SIGTERM) }}
}

// refuse runs a start that fails.
func refuse(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	return execute(t, t.TempDir(), append(env, secretName+"="+secret), args...)
}
