package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/webhook"
)

// hookPath is the hook of the repository in the API.
const hookPath = "repos/acme/app/hooks/7"

// A missedRig is a rig with a hook that calls the program through a proxy, which answers
// 200 while the program is stopped.
type missedRig struct {
	*rig
	to atomic.Pointer[url.URL] // the program; nil: it is stopped
}

func newMissedRig(t *testing.T, args ...string) *missedRig {
	t.Helper()
	r := &missedRig{rig: newRig(t, "git log -1 --format=%s >>$RUNS")}
	r.args = append([]string{"-catch-up-hook", "acme/app/7"}, args...)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if to := r.to.Load(); to != nil {
			(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) }}).ServeHTTP(w, req)
		}
	}))
	t.Cleanup(proxy.Close)
	r.hub.api.AddHook(hookPath, githubtest.Hook{URL: proxy.URL + "/hooks/github", Secret: webhook.NewSecret(hookSecret)})
	return r
}

func (r *missedRig) start() {
	r.Helper()
	r.rig.start()
	to, err := url.Parse(r.p.url)
	if err != nil {
		r.Fatal(err)
	}
	r.to.Store(to)
}

func (r *missedRig) stop() {
	r.Helper()
	r.to.Store(nil)
	r.signalAndWait(syscall.SIGTERM)
}

// looked waits until the hook was looked at for the first time of all.
func (r *missedRig) looked() {
	r.Helper()
	s, err := connect(filepath.Join(r.dir, "data", "github-ci.db"))
	if err != nil {
		r.Fatal(err)
	}
	defer s.close()
	r.until("the first look ends", func() bool {
		var n int
		if err := s.db.QueryRowContext(r.Context(), "SELECT count(*) FROM hookhouse_cursors").Scan(&n); err != nil {
			r.Fatal(err)
		}
		return n > 0
	})
}

// send makes GitHub call the hook for an event, and fails the test unless the answer is a
// success.
func (r *missedRig) send(event string, body []byte) {
	r.Helper()
	if got := r.hub.api.Send(r.Context(), hookPath, event, body); got.StatusCode/100 != 2 {
		r.Fatalf("%s: the answer is %d %s", event, got.StatusCode, got.Status)
	}
}

func (r *missedRig) sendPush(p pushed) {
	r.Helper()
	p.repository, p.ref = r.repo.name, "refs/heads/main"
	r.send("push", p.body())
}

func TestMissedPushIsBuiltOnce(t *testing.T) {
	r := newMissedRig(t, "-skip-ci")
	one, two, three := r.repo.commit("main", "one"), r.repo.commit("main", "two"), r.repo.commit("main", "three")
	r.start()
	r.looked()
	// What is not built is not missing either.
	r.send("ping", []byte(`{"zen":"x","hook_id":7,"repository":{"full_name":"acme/app"}}`))
	r.sendPush(pushed{after: one, created: true, message: "[skip ci]"})
	r.stop()

	r.sendPush(pushed{before: one, after: two})
	r.start()
	r.untilStatus(two, "success")
	r.stop()

	r.start()
	r.sendPush(pushed{before: two, after: three})
	r.untilStatus(three, "success")
	r.stop()
	if got := r.read(r.runs); got != "two\nthree\n" {
		t.Errorf("the runs are %q, want two and three once", got)
	}
	again := 0
	for _, d := range r.hub.api.Deliveries(hookPath) {
		if d.Redelivery {
			again++
		}
	}
	if again != 1 {
		t.Errorf("GitHub was asked for %d redeliveries, want 1", again)
	}
	r.hub.noFaults(t)
}

func TestDeniedCatchUpIsSaidOnce(t *testing.T) {
	r := newMissedRig(t)
	r.hub.api.SetToken(webhook.NewSecret("another"), false)
	one := r.repo.commit("main", "one")
	r.start()
	r.until("the log has the failure", func() bool { return strings.Contains(r.p.logText(), "catch-up fails") })
	r.sendPush(pushed{after: one, created: true})
	r.untilStatus(one, "success")
	r.stop()
	if got := strings.Count(r.p.logText(), "catch-up fails"); got != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", got, r.p.logText())
	}
}

// The metrics have each CatchUp that the program runs, from its start on, before its first
// request.
func TestWhereMissedPushesAreNotLookedFor(t *testing.T) {
	for _, tt := range []struct {
		name      string
		env, args []string
		want      string // if empty, nothing
		looks     bool
	}{
		{"no hook", nil, nil, "set -catch-up-hook\"", false},
		{"no token", []string{"GITHUB_TOKEN="}, []string{"-catch-up-hook", "acme/7", "-status=false"}, "set GITHUB_TOKEN\"", false},
		{"neither", []string{"GITHUB_TOKEN="}, []string{"-status=false"}, "set -catch-up-hook and GITHUB_TOKEN\"", false},
		{"left out", nil, []string{"-catch-up-hook", "acme/app/7", "-catch-up=false"}, "", false},
		{"looked for", nil, []string{"-catch-up-hook", "acme/app/7"}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "true")
			r.env, r.args = tt.env, tt.args
			r.start()
			if got := strings.Contains(r.page("/metrics"), `hookhouse_catchup_looks_total{target="repos/acme/app/hooks/7"}`); got != tt.looks {
				t.Errorf("the metrics have a CatchUp: %v, want %v", got, tt.looks)
			}
			if tt.looks {
				r.until("the hook is looked at", func() bool { return len(r.hub.api.Requests()) > 0 })
			}
			r.signalAndWait(syscall.SIGTERM)
			const says = "missed pushes are not looked for: "
			want := 1
			if tt.want == "" {
				want = 0
			}
			if got := r.p.logText(); strings.Count(got, says+tt.want) != want {
				t.Errorf("the log is %s, want %d lines with %q", got, want, says+tt.want)
			}
			if got := r.hub.api.Requests(); (len(got) > 0) != tt.looks {
				t.Errorf("the requests are %v, want some: %v", got, tt.looks)
			}
		})
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"acme/app/7": "repos/acme/app/hooks/7", "acme/7": "orgs/acme/hooks/7",
		"": "", "7": "", "acme/app": "", "acme/app/0": "", "acme/app/-1": "", "acme//7": "", "acme/../7": "", "a/b/c/7": "", "acme/a b/7": "",
	} {
		got, err := readHook(text)
		if got.String() != want || (err == nil) != (want != "") {
			t.Errorf("%q is read as %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestLatePushTakesNoOthersPlace(t *testing.T) {
	t.Parallel()
	hook, err := readHook("acme/app/7")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	for _, tt := range []struct {
		name, pushedAt string
		looks, want    bool // the push may replace others
	}{
		{"a push of now", "1799999970", true, true},
		{"a missed push", "1799999000", true, false},
		{"a missed push that is not looked for", "1799999000", false, true},
		{"an unknown time", "null", true, true},
	} {
		s := &settings{token: webhook.NewSecret(token), missed: missedFlags{look: tt.looks}}
		s.hooks = append(s.hooks, hook)
		d := webhook.NewDelivery("github", "github.push", "acme/app", []byte(`{"ref":"refs/heads/main","repository":{"pushed_at":`+tt.pushedAt+`}}`))
		d.Coalesce, d.ReceivedAt = webhook.NewestOnly(), now
		var got webhook.Coalesce
		inbox := webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error { got = d.Coalesce; return nil })
		if err := s.skipping(inbox, nil).Handle(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if (got == webhook.NewestOnly()) != tt.want {
			t.Errorf("%s: Coalesce is %v", tt.name, got)
		}
	}
}
