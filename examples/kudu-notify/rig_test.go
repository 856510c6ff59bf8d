package main

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

// program is the built kudu-notify.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kudu-notify")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "kudu-notify")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	certificate, root := newCertificate()
	mailCertificate = certificate
	file := filepath.Join(dir, "root.pem")
	if err := errors.Join(os.WriteFile(file, root, 0o600), os.Setenv("SSL_CERT_FILE", file)); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const (
	sitePassword = "site-s3cret-0123456789"
	hookPassword = "hook-s3cret-0123456789"
	smtpPassword = "smtp-s3cret-0123456789"
)

// A rig is the environment of the program: the site that it subscribes to, the
// targets, and the proxy at its public URL.
type rig struct {
	site             *kudutest.Server
	slack, urlTarget *fakeTarget
	mail             *fakeMailServer
	siteURL          string
	siteStatus       atomic.Int32 // status of the site's API; 0 means the response of Kudu
	public           string
	backend          atomic.Pointer[url.URL] // the program, behind the proxy
	env, args        []string
}

func newRig(t *testing.T, args ...string) *rig {
	t.Helper()
	return newRigAt(t, &kudutest.Server{User: "$app", Password: webhook.NewSecret(sitePassword)}, args...)
}

func newRigAt(t *testing.T, at *kudutest.Server, args ...string) *rig {
	t.Helper()
	r := &rig{
		site: at, slack: newFakeTarget(t), urlTarget: newFakeTarget(t), mail: newFakeMailServer(t),
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if status := r.siteStatus.Load(); status != 0 {
			w.WriteHeader(int(status))
			return
		}
		r.site.ServeHTTP(w, req)
	}))
	t.Cleanup(site.Close)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(r.backend.Load()) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	t.Cleanup(proxy.Close)
	r.siteURL, r.public = site.URL, proxy.URL
	file := filepath.Join(t.TempDir(), "smtp-password")
	if err := os.WriteFile(file, []byte(smtpPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.env = []string{
		"KUDU_PASSWORD=" + sitePassword,
		"KUDU_WEBHOOK_PASSWORD=" + hookPassword,
		"SLACK_WEBHOOK_URL=" + r.slack.url + "/services/T000/B000/slack-s3cret",
		"NOTIFY_URL=" + r.urlTarget.url + "/notify?key=plain-s3cret",
		"SMTP_PASSWORD_FILE=" + file,
		"SSL_CERT_FILE=" + os.Getenv("SSL_CERT_FILE"),
	}
	r.args = append([]string{
		"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "test.db"), "-retry", "20ms",
		"-site", r.siteURL, "-user", "$app", "-url", r.public,
		"-smtp", r.mail.addr, "-smtp-user", "mailer", "-smtp-from", "Kudu <kudu@example.com>", "-smtp-to", "Ops <ops@example.com>",
	}, args...)
	return r
}

// set replaces the value of a flag that may be repeated.
func (r *rig) set(flag, value string) {
	r.args[slices.Index(r.args, flag)+1] = value
}

// A process is the running program.
type process struct {
	cmd   *exec.Cmd
	url   string
	admin string        // URL of -admin-addr, if it is set
	lines chan string   // lines of the log that waitForLog has not consumed
	log   *bytes.Buffer // complete when done is closed
	done  chan struct{}
}

// Log texts that start waits for.
const (
	listening  = "msg=listening url="
	subscribed = `msg="ready: `
)

// start starts the program and waits until it is subscribed.
func (r *rig) start(t *testing.T) *process {
	t.Helper()
	p := r.startUntil(t, listening)
	p.waitForLog(t, subscribed)
	return p
}

// startUntil starts the program and waits until it listens and then logs a text.
func (r *rig) startUntil(t *testing.T, text string) *process {
	t.Helper()
	p := &process{
		cmd: command(t, r.env, r.args...), lines: make(chan string, 10000), log: new(bytes.Buffer), done: make(chan struct{}),
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		defer close(p.lines)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.log.WriteString(s.Text() + "\n")
			p.lines <- s.Text()
		}
	}()
	if slices.Contains(r.args, "-admin-addr") {
		_, p.admin, _ = strings.Cut(p.waitForLog(t, " admin="), " admin=")
	}
	_, p.url, _ = strings.Cut(p.waitForLog(t, listening), listening)
	backend, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	r.backend.Store(backend)
	if text != listening {
		p.waitForLog(t, text)
	}
	return p
}

// waitForLog waits for a line of the log with a text and returns the line.
func (p *process) waitForLog(t *testing.T, text string) string {
	t.Helper()
	for late := time.After(waitTimeout); ; {
		select {
		case line, more := <-p.lines:
			if strings.Contains(line, text) {
				return line
			}
			if !more {
				t.Fatalf("the program exited without logging %s:\n%s", text, p.log)
			}
		case <-late:
			t.Fatalf("timeout waiting for log %s", text)
		}
	}
}

// stop stops the program with SIGTERM and checks its log.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.terminate(t)
	p.wait(t)
}

// terminate sends SIGTERM.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// wait waits until the program exits after SIGTERM.
func (p *process) wait(t *testing.T) {
	t.Helper()
	<-p.done
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.log)
	}
	if strings.Contains(p.log.String(), "s3cret") {
		t.Errorf("the log shows a secret:\n%s", p.log)
	}
}

// kill kills the program with SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	_ = p.cmd.Wait()
}

// execute runs the program until it exits and returns its output and its exit
// status.
func execute(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := command(t, env, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	return cmd
}
