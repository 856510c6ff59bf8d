package main

import (
	"bytes"
	"fmt"
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
		{"no newline", "secret", []string{"secret"}},
		{"a newline", "secret\n", []string{"secret"}},
		{"a Windows newline", "secret\r\n", []string{"secret"}},
		{"surrounding white space", "  secret \n\n", []string{"secret"}},
		{"a space inside", "two words\n", []string{"two words"}},
		{"an old and a new secret", "old\nnew\n", []string{"old", "new"}},
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
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"an unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"an argument", []string{"x"}, `unexpected argument "x"`},
		{"a missing secret file", []string{"-secret-file", "nowhere"}, "nowhere: no such file or directory; create a secret: openssl rand -hex 32 > nowhere"},
		{"an empty secret file", []string{"-secret-file", "empty"}, "empty is empty; create a secret"},
		{"a folder as the secret file", []string{"-secret-file", "."}, "is a directory"},
		{"a database in a missing folder", []string{"-db", "nowhere/x.db"}, "-db: "},
		{"an unreachable database server", []string{"-db", "postgres://127.0.0.1:1/ci"}, "-db: "},
		{"an invalid address", []string{"-addr", "nowhere"}, "nowhere"},
		{"an API that is not a URL", []string{"-api", "api.foundries.io"}, "-api: jobserv: new client: server 1: host is not allowed: not an absolute http or https URL"},
		{"an API with a password", []string{"-api", "https://me:hidden@api.example.com"}, "without user information"},
		{"a missing token file", []string{"-api", "https://api.example.com", "-token-file", "nowhere"}, "-token-file: open nowhere"},
		{"an empty token file", []string{"-api", "https://api.example.com", "-token-file", "empty"}, "empty is empty"},
		{"a token without -api", []string{"-token-file", "empty"}, "require -api"},
		{"a missing command", []string{"-exec", "./nowhere"}, "-exec: "},
		{"a blank command", []string{"-exec", " "}, "-exec: no program"},
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
