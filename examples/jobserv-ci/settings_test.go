package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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
				require.True(t, sender.Deliver(t.Context(), p.url, body).Delivered)
				p.prints(t, fmt.Sprintf("PASSED: p build %d\n", i+1))
			}
			p.stop(t)
			require.NotContains(t, p.log.String(), tt.secrets[0])
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
			require.Error(t, cmd.Run())
			require.Equal(t, 1, cmd.ProcessState.ExitCode())
			require.Empty(t, out.String())
			require.Contains(t, log.String(), tt.says)
			require.NotContains(t, log.String(), "hidden")
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	out, err := programIn(t, t.TempDir(), "-help").CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "POST /webhook")
	require.Contains(t, string(out), "-exec-timeout")
}
