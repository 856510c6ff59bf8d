package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// TestMain runs the program instead of the tests if RUN_MAIN is set.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A process is the running program.
type process struct {
	cmd *exec.Cmd
	url string
	out *bufio.Scanner
}

// start runs the program in dir and waits until it listens.
func start(t *testing.T, dir string, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"RUN_MAIN=yes", "ADDR=127.0.0.1:0"}, env...)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	p.out = bufio.NewScanner(stdout)
	log := bufio.NewScanner(stderr)
	for log.Scan() {
		if _, addr, ok := strings.Cut(log.Text(), "listening on "); ok {
			p.url = "http://" + addr
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return p
		}
	}
	t.Fatal("the program does not listen")
	return nil
}

// next returns the next line that the program prints.
func (p *process) next(t *testing.T) string {
	t.Helper()
	require.True(t, p.out.Scan(), "no more output")
	return p.out.Text()
}

// stop sends a signal, waits for the process, and returns the rest of its output.
func (p *process) stop(t *testing.T, signal os.Signal) (rest []string) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(signal))
	for p.out.Scan() {
		rest = append(rest, p.out.Text())
	}
	err := p.cmd.Wait()
	if signal == syscall.SIGTERM {
		require.NoError(t, err)
	}
	return rest
}

func TestPushIsDeployedOnce(t *testing.T) {
	dir, env := t.TempDir(), "GITHUB_WEBHOOK_SECRET=secret"
	body := []byte(`{"ref":"refs/heads/main","after":"9f3c1d7","repository":{"full_name":"acme/app"}}`)
	sender := webhooktest.GitHub{Secret: webhook.NewSecret("secret")}

	p := start(t, dir, env)
	first := sender.Deliver(t.Context(), p.url+"/hooks/github", "push", body)
	require.True(t, first.Delivered)
	require.Equal(t, "deploy acme/app main 9f3c1d7", p.next(t))
	res, err := http.Get(p.url + "/healthz")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Empty(t, p.stop(t, syscall.SIGTERM))

	p = start(t, dir, env)
	again := sender.Redeliver(t.Context(), first.GUID, p.url+"/hooks/github", "push", body)
	require.True(t, again.Delivered)
	ping := sender.Deliver(t.Context(), p.url+"/hooks/github", "ping", []byte(`{"zen":"x"}`))
	require.True(t, ping.Delivered)
	next := sender.Deliver(t.Context(), p.url+"/hooks/github", "push", []byte(`{"ref":"refs/heads/main","after":"a11ce00","repository":{"full_name":"acme/app"}}`))
	require.True(t, next.Delivered)
	require.Equal(t, "deploy acme/app main a11ce00", p.next(t), "the duplicate must not run")
	require.Empty(t, p.stop(t, syscall.SIGTERM))
}

func TestMissingSecret(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Dir, cmd.Env = t.TempDir(), []string{"RUN_MAIN=yes"}
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "GITHUB_WEBHOOK_SECRET is not set")
}
