package main

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
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
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const (
	sitePassword = "site-s3cret-0123456789"
	hookPassword = "hook-s3cret-0123456789"
	smtpPassword = "smtp-s3cret-0123456789"
)

// A rig is everything around the program: the site that it subscribes itself
// at, those that it tells, and the proxy at its public URL.
type rig struct {
	site         *kudutest.Server
	slack, plain *receiver
	mail         *mailServer
	siteURL      string
	siteStatus   atomic.Int32 // what the site's API answers; 0: as Kudu does
	public       string
	backend      atomic.Pointer[url.URL] // the program, behind the proxy
	env, args    []string
}

func newRig(t *testing.T, args ...string) *rig {
	t.Helper()
	return newRigAt(t, &kudutest.Server{User: "$app", Password: webhook.NewSecret(sitePassword)}, args...)
}

func newRigAt(t *testing.T, at *kudutest.Server, args ...string) *rig {
	t.Helper()
	r := &rig{
		site: at, slack: newReceiver(t), plain: newReceiver(t), mail: newMailServer(t),
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
		"NOTIFY_URL=" + r.plain.url + "/notify?key=plain-s3cret",
		"SMTP_PASSWORD_FILE=" + file,
		"SSL_CERT_FILE=" + r.mail.caFile,
	}
	r.args = append([]string{
		"-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "test.db"), "-retry", "20ms",
		"-site", r.siteURL, "-user", "$app", "-url", r.public,
		"-smtp", r.mail.addr, "-smtp-user", "mailer", "-smtp-from", "Kudu <kudu@example.com>", "-smtp-to", "Ops <ops@example.com>",
	}, args...)
	return r
}

// A process is the running program.
type process struct {
	cmd   *exec.Cmd
	url   string
	lines chan string   // of the log, from the one after that which start waited for
	log   *bytes.Buffer // complete when done is closed
	done  chan struct{}
}

// What start waits for.
const (
	listening  = "msg=listening url="
	subscribed = `msg="ready: `
)

// start runs the program until it has subscribed itself.
func (r *rig) start(t *testing.T) *process {
	t.Helper()
	p := r.startUntil(t, listening)
	p.logs(t, subscribed)
	return p
}

// startUntil runs the program until it has logged a text, which is listening at
// the earliest.
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
	_, p.url, _ = strings.Cut(p.logs(t, listening), listening)
	backend, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	r.backend.Store(backend)
	if text != listening {
		p.logs(t, text)
	}
	return p
}

// logs waits for a line with a text and returns it.
func (p *process) logs(t *testing.T, text string) string {
	t.Helper()
	for late := time.After(patience); ; {
		select {
		case line, more := <-p.lines:
			if strings.Contains(line, text) {
				return line
			}
			if !more {
				t.Fatalf("ended without %s:\n%s", text, p.log)
			}
		case <-late:
			t.Fatalf("never logged %s", text)
		}
	}
}

// stop ends the program as a service manager does and checks what it logged.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
}

// wait waits for the end after SIGTERM.
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

// kill ends the program as a crash does.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	_ = p.cmd.Wait()
}

// execute runs the program to its end and returns what it says and its exit
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
