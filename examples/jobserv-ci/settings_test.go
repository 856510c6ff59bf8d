package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestSecretFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		secrets    []string
	}{
		{"no newline", secret, []string{secret}},
		{"a newline", secret + "\n", []string{secret}},
		{"a Windows newline", secret + "\r\n", []string{secret}},
		{"surrounding white space", "  " + secret + " \n\n", []string{secret}},
		{"a space inside", "two words of a secret\n", []string{"two words of a secret"}},
		{"an old and a new secret", secret + "\nn3w-secret-0123456789\n", []string{secret, "n3w-secret-0123456789"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "my-secret"), tt.file, 0o600)
			p := start(t, dir, "-secret-file", "my-secret")
			for i, secret := range tt.secrets {
				body := fmt.Appendf(nil, `{"build_id": %d, "url": "https://x.example/projects/p/builds/%[1]d/", "status": "PASSED", "runs": []}`, i+1)
				sender := webhooktest.JobServ{Secret: webhook.NewSecret(secret)}
				if !sender.Deliver(t.Context(), p.url, body).Delivered {
					t.Fatal("sender.Deliver(p.url, body).Delivered is false, want true")
				}
				p.prints(t, fmt.Sprintf("PASSED: p build %d\n", i+1))
			}
			p.stop(t)
			if got, want := p.log.String(), fmt.Sprintf("name=JOBSERV_WEBHOOK_SECRET live=%d", len(tt.secrets)); !strings.Contains(got, want) {
				t.Fatalf("p.log.String() = %q, want it to contain %q", got, want)
			}
			if got := p.log.String(); strings.Contains(got, tt.secrets[0]) {
				t.Fatalf("p.log.String() = %q, want it not to contain %q", got, tt.secrets[0])
			}
		})
	}
}

func TestInvalidStart(t *testing.T) {
	t.Parallel()
	dir := home(t)
	write(t, filepath.Join(dir, "empty"), " \r\n", 0o600)
	write(t, filepath.Join(dir, "short"), secret+"\nhidden\n", 0o600)
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"an unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"an argument", []string{"x"}, `unexpected argument "x"`},
		{"a missing secret file", []string{"-secret-file", "nowhere"}, "nowhere: no such file or directory; create a secret: openssl rand -hex 32 > nowhere"},
		{"an empty secret file", []string{"-secret-file", "empty"}, "JOBSERV_WEBHOOK_SECRET_FILE: empty is empty"},
		{"a short secret", []string{"-secret-file", "short"}, "JOBSERV_WEBHOOK_SECRET: secret 2 of 2 has fewer than 16 characters"},
		{"two tokens", []string{"-api", "https://api.example.com", "-token-file", "short"}, "JOBSERV_API_TOKEN has 2 lines, want one secret"},
		{"a folder as the secret file", []string{"-secret-file", "."}, "is a directory"},
		{"a database in a missing folder", []string{"-db", "nowhere/x.db"}, "-db: "},
		{"an unreachable database server", []string{"-db", "postgres://127.0.0.1:1/ci"}, "-db: "},
		{"an invalid address", []string{"-addr", "nowhere"}, "nowhere"},
		{"an API that is not a URL", []string{"-api", "api.foundries.io"}, "-api: jobserv: new client: server 1: host is not allowed: not an absolute http or https URL"},
		{"an API with a password", []string{"-api", "https://me:hidden@api.example.com"}, "without user information"},
		{"a missing token file", []string{"-api", "https://api.example.com", "-token-file", "nowhere"}, "JOBSERV_API_TOKEN_FILE: open nowhere"},
		{"an empty token file", []string{"-api", "https://api.example.com", "-token-file", "empty"}, "empty is empty"},
		{"a token without -api", []string{"-token-file", "empty"}, "require -api"},
		{"a project without -api", []string{"-project", "acme/lmp"}, "require -api"},
		{"a project twice", []string{"-api", "https://api.example.com", "-project", "acme/lmp", "-project", "acme/lmp"}, "-project: it is set twice to acme/lmp"},
		{"a bad project", []string{"-api", "https://api.example.com", "-project", "acme/../lmp"}, "has \"..\" in its name"},
		{"looks too often", []string{"-catch-up-every", "1s"}, "-catch-up-every must be 0s, or 1m or more"},
		{"a missing command", []string{"-exec", "./nowhere"}, "-exec: "},
		{"a blank command", []string{"-exec", " "}, "-exec: no program"},
		{"a command with quotes", []string{"-exec", "sh -c 'echo hidden'"}, `-exec: '\'' has no meaning, because no shell runs the command`},
		{"a command with a variable", []string{"-exec", "echo $X"}, `-exec: '$' has no meaning`},
		{"a command with a redirection", []string{"-exec", "cat >out"}, `-exec: '>' has no meaning`},
		{"a too long block timeout", []string{"-exec-block-timeout", "4h"}, "must be from 0s to 3h"},
		{"an invalid admin address", []string{"-admin-addr", "nowhere"}, "-admin-addr: "},
		{"a check of a database in a missing folder", []string{"-check", "-db", "nowhere/x.db"}, "-db: no file can be created in nowhere"},
		{"a check of a missing command", []string{"-check", "-exec", "./nowhere"}, "-exec: "},
		{"a zero timeout of the API", []string{"-api-timeout", "0s"}, "must be greater than 0s"},
		{"a too long wait", []string{"-api-wait", "2h"}, "must be from 0s to 1h"},
		{"a negative log size", []string{"-log-bytes", "-1"}, "must not be negative"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := programIn(t, dir, append([]string{"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "x.db")}, tt.args...)...)
			var out, log bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &log
			if err := cmd.Run(); err == nil {
				t.Fatal("cmd.Run() is nil, want an error")
			}
			if got := cmd.ProcessState.ExitCode(); got != 1 {
				t.Fatalf("cmd.ProcessState.ExitCode() = %d, want 1", got)
			}
			if got := out.String(); got != "" {
				t.Fatalf("out.String() = %q, want empty", got)
			}
			if got := log.String(); !strings.Contains(got, tt.says) {
				t.Fatalf("log.String() = %q, want it to contain %q", got, tt.says)
			}
			if got := log.String(); strings.Contains(got, "hidden") {
				t.Fatalf("log.String() = %q, want it not to contain \"hidden\"", got)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	out, err := programIn(t, t.TempDir(), "-help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "POST /webhook") {
		t.Fatalf("string(out) = %q, want it to contain \"POST /webhook\"", string(out))
	}
	if !strings.Contains(string(out), "-exec-timeout") {
		t.Fatalf("string(out) = %q, want it to contain \"-exec-timeout\"", string(out))
	}
}

func TestSecretsFromTheEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "mine"), secret, 0o600)
	check := func(env []string, args ...string) (string, error) {
		cmd := programIn(t, dir, append([]string{"-check"}, args...)...)
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, env := range [][]string{{"JOBSERV_WEBHOOK_SECRET=" + secret}, {"JOBSERV_WEBHOOK_SECRET_FILE=mine", "JOBSERV_API_TOKEN_FILE=mine"}} {
		out, err := check(env, "-api", "https://api.example.com", "-addr", "nowhere") // it does not listen
		if err != nil || !strings.Contains(out, "live=1") || !strings.Contains(out, "are fine") || strings.Contains(out, secret) {
			t.Errorf("%q: %v, %s", env[0], err, out)
		}
		if out, err = check(env, "-secret-file", "mine"); err == nil || !strings.Contains(out, "both -secret-file and JOBSERV_WEBHOOK_SECRET") {
			t.Errorf("%q and -secret-file: %v, %s", env[0], err, out)
		}
	}
	if got := read(t, filepath.Join(dir, "jobserv-ci.db")); got != "" {
		t.Error("-check created the database")
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	out, err := programIn(t, t.TempDir(), "-version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "jobserv-ci ") || !strings.Contains(string(out), " go1.") {
		t.Errorf("%v, %s", err, out)
	}
}

func TestAdminAddress(t *testing.T) {
	t.Parallel()
	dir := home(t)
	p := start(t, dir, "-admin-addr", "127.0.0.1:0")
	_, rest, _ := strings.Cut(p.log.String(), " admin=")
	admin, _, _ := strings.Cut(rest, "\n")
	for _, page := range []string{"/healthz", "/metrics"} {
		if status, _ := p.get(t, page); status != 404 {
			t.Errorf("%s at -addr: status %d, want 404", page, status)
		}
		if status, text := (&process{url: admin}).get(t, page); status != 200 || text == "" {
			t.Errorf("%s at -admin-addr: status %d, %q", page, status, text)
		}
	}
	if status, _ := (&process{url: admin}).get(t, "/webhook"); status != 404 {
		t.Errorf("/webhook at -admin-addr: status %d, want 404", status)
	}
	if status, _ := p.get(t, "/webhok"); status != 404 {
		t.Errorf("/webhok: status %d, want 404", status)
	}
	p.stop(t)
	if got := p.log.String(); !strings.Contains(got, `msg="nothing is served at this path" method=GET path=/webhok `) {
		t.Errorf("the log does not contain the wrong path:\n%s", got)
	}
	for _, name := range []string{"jobserv-ci.db", "jobserv-ci.db-wal"} { // those that are left
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().Perm() != 0o600 || name == "jobserv-ci.db" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
