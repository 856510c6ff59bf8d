package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A fakeCI is a JobServ with the project acme/lmp. It calls the program through a proxy,
// which answers 200 while the program is stopped.
type fakeCI struct {
	*jobservtest.Server
	url   string
	later atomic.Int64            // how many minutes its clock is ahead
	to    atomic.Pointer[process] // the program; nil: it is stopped
}

func newFakeCI(t *testing.T) *fakeCI {
	ci := &fakeCI{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := ci.to.Load()
		if p == nil {
			return
		}
		hook, err := url.Parse(p.url)
		if err != nil {
			t.Error(err)
			return
		}
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.Out.URL = hook }}).ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	ci.Server = &jobservtest.Server{
		Token: webhook.NewSecret("token"), TokenHeader: "OSF-TOKEN",
		Now: func() time.Time { return time.Now().Add(time.Duration(ci.later.Load()) * time.Minute) },
	}
	api := httptest.NewServer(ci.Server)
	t.Cleanup(api.Close)
	ci.url, ci.URL = api.URL, api.URL
	ci.AddProject("acme/lmp", jobservtest.Hook{URL: proxy.URL, Secret: webhook.NewSecret(secret)})
	return ci
}

// build makes a build that takes a minute and was completed a minute ago.
func (ci *fakeCI) build(t *testing.T) {
	t.Helper()
	id := ci.Start("acme/lmp")
	ci.later.Add(1)
	for _, result := range ci.Finish(t.Context(), "acme/lmp", id, jobserv.Passed) {
		if !result.Delivered {
			t.Fatalf("build %d: the call failed: %v", id, result.Attempts)
		}
	}
	ci.later.Add(1)
}

// start starts the program.
func (ci *fakeCI) start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	write(t, filepath.Join(dir, "token"), "token\n", 0o600)
	p := start(t, dir, append([]string{"-api", ci.url, "-token-file", "token", "-project", "acme/lmp"}, args...)...)
	ci.to.Store(p)
	return p
}

func (ci *fakeCI) stop(t *testing.T, p *process) string {
	t.Helper()
	ci.to.Store(nil)
	return p.stop(t)
}

// looked waits until the first look of all has ended.
func looked(t *testing.T, dir string) {
	t.Helper()
	s, err := openStore(t.Context(), filepath.Join(dir, "jobserv-ci.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	eventually(t, "the first look ends", func() bool {
		var n int
		if err := s.db.QueryRowContext(t.Context(), "SELECT count(*) FROM hookhouse_cursors").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n > 0
	})
}

func TestMissedBuildsArePrintedOnce(t *testing.T) {
	t.Parallel()
	dir, ci := home(t), newFakeCI(t)
	ci.build(t) // before the first start of all: not missed
	p := ci.start(t, dir)
	looked(t, dir)
	ci.build(t)
	p.prints(t, "build 2")
	ci.stop(t, p)

	ci.build(t)
	ci.build(t)
	p = ci.start(t, dir)
	p.prints(t, "build 4")
	p.counts(t, `hookhouse_catchup_settled_total{target="acme/lmp"} 2`)
	ci.build(t)
	p.prints(t, "build 5")
	out := ci.stop(t, p)
	for n, text := range []string{"build 1", "build 2", "build 3", "build 4", "build 5"} {
		want := 1
		if n < 2 {
			want = 0
		}
		if got := strings.Count(out, text); got != want {
			t.Errorf("%s was printed %d times, want %d:\n%s", text, got, want, out)
		}
	}

	p = ci.start(t, dir)
	ci.build(t)
	p.prints(t, "build 6")
	if out := ci.stop(t, p); strings.Count(out, "PASSED: ") != 1 {
		t.Errorf("the third start prints %q, want build 6 only", out)
	}
}

func TestOnlyFailuresAreMissed(t *testing.T) {
	t.Parallel()
	dir, ci := home(t), newFakeCI(t)
	p := ci.start(t, dir, "-only-failures", "-log-bytes", "0")
	looked(t, dir)
	ci.stop(t, p)
	ci.build(t)
	id := ci.Start("acme/lmp")
	ci.later.Add(1)
	ci.Finish(t.Context(), "acme/lmp", id, jobserv.Failed)
	ci.later.Add(1)
	p = ci.start(t, dir, "-only-failures", "-log-bytes", "0")
	p.prints(t, "build 2")
	if out := ci.stop(t, p); strings.Contains(out, "build 1") {
		t.Errorf("got %q, want build 2 only", out)
	}
}

func TestDeniedTokenIsSaidOnce(t *testing.T) {
	t.Parallel()
	dir, ci := home(t), newFakeCI(t)
	ci.SetToken(webhook.NewSecret("another"))
	p := ci.start(t, dir)
	eventually(t, "the log has the failure", func() bool { return strings.Contains(p.log.String(), "catch-up fails") })
	ci.to.Load().deliver(t, fixture(t, "build.failed-boot.json"))
	p.prints(t, "build 71")
	ci.stop(t, p)
	if got := strings.Count(p.log.String(), "catch-up fails"); got != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", got, p.log.String())
	}
}

func TestWhereMissedBuildsAreNotLookedFor(t *testing.T) {
	t.Parallel()
	const says = "missed builds are not looked for: "
	for _, tt := range []struct {
		name string
		args []string
		want string // if empty, nothing
	}{
		{"no API", nil, says + "set -project and -api, and JOBSERV_API_TOKEN"},
		{"no project", []string{"-api", "http://127.0.0.1:1"}, says + "set -project\""},
		{"left out", []string{"-catch-up=false"}, ""},
		{"left out of a project", []string{"-api", "http://127.0.0.1:1", "-project", "acme/lmp", "-catch-up=false"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, home(t), tt.args...)
			p.stop(t)
			log := p.log.String()
			if tt.want == "" && strings.Contains(log, "missed") || tt.want != "" && strings.Count(log, tt.want) != 1 || strings.Contains(log, "catch-up") {
				t.Errorf("the log is %s, want it to contain %q once", log, tt.want)
			}
		})
	}
}
