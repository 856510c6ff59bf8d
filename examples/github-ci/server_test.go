package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/webhook"
)

// Readers that do not read and connections that do nothing neither delay the end of the
// program nor make it fail.
func TestStuckReadersDoNotSpoilTheEnd(t *testing.T) {
	for _, args := range [][]string{nil, {"-admin-addr", "127.0.0.1:0"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			r := newRig(t, "head -c 8000000 /dev/zero | tr '\\0' x; echo end")
			r.args = args
			sha := r.repo.commit("main", "one")
			r.start()
			r.push(pushed{after: sha, created: true})
			_, path := r.untilStatus(sha, "success")
			for _, page := range []string{"/log", "/events", "", "/log"} {
				conn, err := net.Dial("tcp", strings.TrimPrefix(r.p.admin, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(conn, "GET %s%s HTTP/1.1\r\nHost: x\r\n\r\n", path, page)
				if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil { // "HTTP/1.1 200": it is being served
					t.Fatal(err)
				}
			}
			idle, err := net.Dial("tcp", strings.TrimPrefix(r.p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			r.signalAndWait(syscall.SIGTERM) // fails unless the exit status is 0
			if got := r.p.logText(); strings.Contains(got, "still under way") {
				t.Errorf("the log is %s", got)
			}
		})
	}
}

func TestAdminAddressAndWrongPath(t *testing.T) {
	r := newRig(t, "true")
	r.args = []string{"-admin-addr", "127.0.0.1:0"}
	r.start()
	for url, want := range map[string]int{
		r.p.url + "/": 404, r.p.url + "/healthz": 404, r.p.url + "/metrics": 404, r.p.url + "/builds/x": 404, r.p.url + "/hooks/githup": 404, r.p.url + "/hooks/github": 405,
		r.p.admin + "/": 200, r.p.admin + "/healthz": 200, r.p.admin + "/metrics": 200, r.p.admin + "/hooks/github": 404,
	} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", url, res.StatusCode, want)
		}
	}
	r.until("the wrong path is logged", func() bool { return strings.Contains(r.p.logText(), "path=/hooks/githup ") })
}

func TestServerHasTimeouts(t *testing.T) {
	t.Parallel()
	s := newServer(http.NewServeMux(), slog.Default())
	if s.IdleTimeout <= 0 || s.WriteTimeout <= 0 || s.ReadTimeout <= 0 || s.ReadHeaderTimeout <= 0 || s.IdleTimeout > 5*time.Minute {
		t.Errorf("%+v", s)
	}
}

func TestVersionAndCheck(t *testing.T) {
	r := newRig(t, "true", "    secrets: [TOKEN_OF_REGISTRY]\n")
	r.repo.commit("main", "one")
	execute := func(args ...string) (string, error) {
		args = append([]string{"-addr", "nowhere", "-data", "data", "-url", "http://ci.example.com", "-api", r.hub.URL + "/api/v3", "-secret", "TOKEN_OF_REGISTRY"}, args...)
		out, err := r.command(args...).CombinedOutput()
		return string(out), err
	}
	r.env = []string{"TOKEN_OF_REGISTRY=something-long"}
	if out, err := execute("-version"); err != nil || !strings.HasPrefix(out, "github-ci ") || strings.Count(out, "\n") != 1 {
		t.Errorf("-version: %v, %s", err, out)
	}
	if out, err := execute("-check"); err != nil || !strings.Contains(out, "are fine") || !strings.Contains(out, "repositories=1") {
		t.Errorf("-check: %v, %s", err, out)
	}
	r.hub.api.AddHook(hookPath, githubtest.Hook{URL: "http://ci.example.com/hooks/github"})
	for readOnly, want := range map[bool]string{false: `msg="missed pushes can be found and sent again" hook=` + hookPath, true: `lack the repository permission "Webhooks" (write)`} {
		r.hub.api.SetToken(webhook.NewSecret(token), readOnly)
		out, err := execute("-check", "-catch-up-hook", "acme/app/7")
		if (err != nil) != readOnly || strings.Count(out, want) != 1 {
			t.Errorf("-check of a hook, read only %v: %v, %s", readOnly, err, out)
		}
	}
	if out, err := execute("-check", "-catch-up-hook", "acme/app/8"); err == nil || !strings.Contains(out, "there is no such hook, or the credentials lack") {
		t.Errorf("-check of another hook: %v, %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "data")); !os.IsNotExist(err) {
		t.Errorf("-check has created the data folder: %v", err)
	}
	r.env = append(r.env, "GITHUB_TOKEN=wrong-s3cret")
	if out, err := execute("-check"); err == nil || !strings.Contains(out, "GitHub answered 401") || strings.Contains(out, "s3cret") {
		t.Errorf("with a wrong token: %v, %s", err, out)
	}
	r.env = r.env[:1]
	if err := os.Rename(r.repo.bare, r.repo.bare+".away"); err != nil {
		t.Fatal(err)
	}
	if out, err := execute("-check"); err == nil || !strings.Contains(out, "acme/app: "+r.hub.URL+"/git/acme/app.git: exit status 128") || !strings.Contains(out, "GitHub answered 404") {
		t.Errorf("without the repository: %v, %s", err, out)
	}
	if out, err := execute("-check", "-db", "none/x.db"); err == nil || !strings.Contains(out, "-db: ") {
		t.Errorf("with a wrong database: %v, %s", err, out)
	}
}

func TestRootNeedsUsersForBuilds(t *testing.T) {
	if os.Geteuid() != 0 {
		leaveOut()
		return
	}
	r := newRig(t, "true")
	r.attr = nil
	for _, more := range [][]string{nil, {"-check"}} {
		out, err := r.command(append([]string{"-addr", "127.0.0.1:0", "-url", "http://ci.example.com"}, more...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "-as is missing: builds would run as root") {
			t.Errorf("%v: %v, %s", more, err, out)
		}
	}
}
