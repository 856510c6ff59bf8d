package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestInvalidStart(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	noDatabase := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("text ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no secret at all", nil, nil, "export GITHUB_WEBHOOK_SECRET=$(openssl rand -hex 32)"},
		{"a secret twice", []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken, "KUDU_WEBHOOK_TOKEN_FILE=b"}, nil, "both KUDU_WEBHOOK_TOKEN and KUDU_WEBHOOK_TOKEN_FILE"},
		{"only white space", []string{"KUDU_WEBHOOK_TOKEN= \n"}, nil, "KUDU_WEBHOOK_TOKEN is empty"},
		{"a short secret", []string{"DOCKERHUB_WEBHOOK_TOKEN=x"}, nil, "DOCKERHUB_WEBHOOK_TOKEN: secret 1 of 1 has fewer than 16 characters"},
		{"a short second secret", []string{"GITHUB_WEBHOOK_SECRET=" + oldSecret + "\nAq7"}, nil, "GITHUB_WEBHOOK_SECRET: secret 2 of 2 has fewer"},
		{"an empty secret file", []string{"KUDU_WEBHOOK_TOKEN_FILE=" + empty}, nil, "KUDU_WEBHOOK_TOKEN_FILE: " + empty + " is empty"},
		{"a huge secret file", []string{"KUDU_WEBHOOK_TOKEN_FILE=/dev/zero"}, nil, "more than 64 KiB"},
		{"a missing secret file", []string{"KUDU_WEBHOOK_TOKEN_FILE=/nowhere"}, nil, "/nowhere"},
		{"an unknown flag", nil, []string{"-x"}, "-x"},
		{"an argument", nil, []string{"-demo", "x"}, "only flags are accepted"},
		{"once without demo", nil, []string{"-once"}, "-once only with -demo"},
		{"a demo on all interfaces", nil, []string{"-demo", "-addr", ":0"}, "publicly known secrets"},
		{"a check of a demo", nil, []string{"-check", "-demo"}, "-check only without"},
		{"a check without a secret", nil, []string{"-check"}, "export GITHUB_WEBHOOK_SECRET"},
		{"a check of a database in a missing folder", []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken}, []string{"-check", "-db", "/nowhere/x.db"}, "-db: "},
		{"a check of a file that is no database", []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken}, []string{"-check", "-db", noDatabase}, "-db: "},
		{"a database in a missing folder", []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken}, []string{"-db", "/nowhere/x.db"}, "-db: "},
		{"an invalid address", []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken}, []string{"-addr", "nowhere"}, "nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, errOut, err := execute(t, tt.env, tt.args...)
			if err == nil || !strings.Contains(errOut, tt.says) || out != "" {
				t.Errorf("%v, stdout %q, stderr %s, want an error with %q", err, out, errOut, tt.says)
			}
		})
	}
}

func TestCheckCreatesNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "test.db")
	env := []string{"GITHUB_WEBHOOK_SECRET=" + newSecret}
	check := func(when string) {
		t.Helper()
		out, log, err := execute(t, env, "-check", "-db", file, "-addr", "nowhere") // it does not listen
		if err != nil || out != "" || !strings.Contains(log, "live=1") || !strings.Contains(log, "the comma is part of the secret") {
			t.Errorf("-check %s: %v, stdout %q, log %s", when, err, out, log)
		}
	}
	check("before the first start")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("-check created the database: %v", err)
	}
	if err := start(t, env, "-db", file, "-addr", "127.0.0.1:0").stop(); err != nil {
		t.Fatal(err)
	}
	check("after the first start")
}

func TestVersion(t *testing.T) {
	t.Parallel()
	out, log, err := execute(t, nil, "-version")
	if err != nil || log != "" || !strings.HasPrefix(out, "quickstart ") || !strings.Contains(out, " go1.") {
		t.Errorf("%v, stdout %q, stderr %q", err, out, log)
	}
}

func TestDatabaseIsPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken}, "-db", filepath.Join(dir, "test.db"), "-addr", "127.0.0.1:0")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 { // with those of the write-ahead log
		t.Errorf("%d files: %v", len(files), err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v, want 0600", f.Name(), info.Mode(), err)
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	// One of an earlier version keeps its mode.
	if err := os.Chmod(filepath.Join(dir, "test.db"), 0o644); err != nil {
		t.Fatal(err)
	}
	p = start(t, []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken}, "-db", filepath.Join(dir, "test.db"), "-addr", "127.0.0.1:0")
	if err := p.stop(); err != nil || !strings.Contains(p.log.String(), "every user of this host can read the database") {
		t.Errorf("%v\n%s", err, p.log)
	}
}

func TestLinesCannotControlTheTerminal(t *testing.T) {
	t.Parallel()
	p := start(t, []string{"GITHUB_WEBHOOK_SECRET=" + oldSecret}, "-db", filepath.Join(t.TempDir(), "test.db"), "-addr", "127.0.0.1:0")
	pusher := "\u009b31m\x7f\u202egnp\U000e0041<b>\u2028é😀"
	body := `{"ref":"refs/heads/main","after":"9f3c1d7","repository":{"full_name":"acme/app"},"pusher":{"name":"` + pusher + `"}}`
	sender := webhooktest.GitHub{Secret: webhook.NewSecret(oldSecret)}
	if sent := sender.Deliver(t.Context(), p.url+"/hooks/github", "push", []byte(body)); !sent.Delivered {
		t.Fatalf("not delivered: %+v", sent)
	}
	p.next(t) // it is JSON
	want := `"pusher":"\u009b31m\u007f\u202egnp\udb40\udc41<b>\u2028é😀"`
	if got := p.out.Text(); !strings.Contains(got, want) {
		t.Errorf("printed %q, want %s", got, want)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

func TestHealthAtTheAdminAddress(t *testing.T) {
	t.Parallel()
	p := start(t, []string{"KUDU_WEBHOOK_TOKEN=" + kuduToken}, "-db", filepath.Join(t.TempDir(), "test.db"), "-addr", "127.0.0.1:0", "-admin-addr", "127.0.0.1:0")
	for url, want := range map[string]int{p.url + "/healthz": 404, p.admin + "/healthz": 200, p.admin + "/hooks/kudu": 404} {
		got, began := status(t, http.MethodGet, url), time.Now()
		for got == 503 && time.Since(began) < 20*time.Second { // the worker may begin after the server
			got = status(t, http.MethodGet, url)
		}
		if got != want {
			t.Errorf("%s: status %d, want %d", url, got, want)
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}
