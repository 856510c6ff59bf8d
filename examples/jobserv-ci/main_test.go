package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// notifications returns the distinct bodies in testdata and, if it exists, in a
// folder shared/fixtures next to the repository.
func notifications(t *testing.T) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/build.*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 7)
	dir, err := os.Getwd()
	require.NoError(t, err)
	var shared []string
	for len(shared) == 0 && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		shared, _ = filepath.Glob(filepath.Join(dir, "shared", "fixtures", "jobserv", "build.*.json"))
	}
	t.Logf("%d shared fixtures", len(shared))
	seen := make(map[string]bool)
	var bodies [][]byte
	for _, file := range append(files, shared...) {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		if !seen[string(body)] {
			bodies = append(bodies, body)
		}
		seen[string(body)] = true
	}
	return bodies
}

// first returns, as text, the first member of names that is set.
func first(m map[string]any, names ...string) string {
	for _, name := range names {
		switch v := m[name].(type) {
		case nil:
		case float64:
			return fmt.Sprintf("%.0f", v)
		default:
			return fmt.Sprint(v)
		}
	}
	return ""
}

// heading matches the first line of a build.
var heading = regexp.MustCompile(`(?m)^(PASSED|FAILED)( after a rerun)?: \S+ build \d+`)

func TestPrintText(t *testing.T) {
	t.Parallel()
	p := start(t, home(t))
	bodies := notifications(t)
	for _, body := range bodies {
		p.deliver(t, body)
	}
	p.counts(t, fmt.Sprintf(`hookhouse_deliveries{state="done",type="jobserv.build"} %d`, len(bodies)))
	out := p.stop(t)
	require.Len(t, heading.FindAllString(out, -1), len(bodies))
	for _, body := range bodies {
		var want map[string]any
		require.NoError(t, json.Unmarshal(body, &want))
		require.Contains(t, out, first(want, "web_url", "url", "build_url"))
		for _, r := range want["runs"].([]any) {
			run := r.(map[string]any)
			for _, name := range []string{"name", "status", "host_tag"} {
				require.Contains(t, out, first(run, name))
			}
			require.Contains(t, out, first(run, "web_url", "url"))
		}
	}
	require.Contains(t, out, `PASSED: acme/lmp build 67, containers-devel, 8m51s
  https://ci.example.com/projects/acme/lmp/builds/67
  Push to devel: naïve fix
  PASSED  build-amd64   1m5s   amd64-partner  https://ci.example.com/projects/acme/lmp/builds/67/build-amd64
  PASSED  publish-apps  7m35s  amd64-partner  https://ci.example.com/projects/acme/lmp/builds/67/publish-apps
`)
	require.Contains(t, out, "PASSED after a rerun: acme/lmp build 67, ")
	require.Contains(t, out, "\n  no-start: log https://api.example.com/projects/acme/lmp/builds/70/runs/no-start/console.log\n")
}

func TestPrintJSON(t *testing.T) {
	t.Parallel()
	p := start(t, home(t), "-json")
	bodies := notifications(t)
	for _, body := range bodies {
		p.deliver(t, body)
	}
	p.counts(t, fmt.Sprintf(`hookhouse_deliveries{state="done",type="jobserv.build"} %d`, len(bodies)))
	lines := results(t, p.stop(t))
	require.Len(t, lines, len(bodies))
	// Only the builds of one project are printed in order.
	next := func(project string) map[string]any {
		for i, line := range lines {
			if line["project"] == project {
				lines = append(lines[:i:i], lines[i+1:]...)
				return line
			}
		}
		return nil
	}
	for _, body := range bodies {
		var want map[string]any
		require.NoError(t, json.Unmarshal(body, &want))
		project := "acme/lmp"
		if strings.Contains(first(want, "url"), "/demo/") {
			project = "demo"
		}
		got := next(project)
		require.NotNil(t, got)
		require.Equal(t, first(want, "build_id"), first(got, "build_id"))
		require.Equal(t, first(want, "status", "build_status"), got["status"])
		require.Equal(t, first(want, "web_url", "url", "build_url"), got["url"])
		require.Equal(t, first(want, "reason", "build_reason"), first(got, "reason"))
		require.Equal(t, first(want, "trigger_name"), first(got, "trigger"))
		runs := got["runs"].([]any)
		require.Len(t, runs, len(want["runs"].([]any)))
		for i, r := range want["runs"].([]any) {
			run, got := r.(map[string]any), runs[i].(map[string]any)
			require.Equal(t, run["name"], got["name"])
			require.Equal(t, run["status"], got["status"])
			require.Equal(t, first(run, "host_tag"), first(got, "host_tag"))
			require.Equal(t, first(run, "web_url", "url"), got["url"])
			require.NotEmpty(t, got["log_url"])
			require.InDelta(t, seconds(t, run), got["seconds"], 0.001)
		}
	}
}

// seconds returns the duration of a run in the body, or 0 if it is unknown.
func seconds(t *testing.T, run map[string]any) float64 {
	t.Helper()
	if run["created"] == nil || run["completed"] == nil {
		return 0
	}
	from, err := time.Parse(time.RFC3339Nano, first(run, "created"))
	require.NoError(t, err)
	to, err := time.Parse(time.RFC3339Nano, first(run, "completed"))
	require.NoError(t, err)
	return to.Sub(from).Seconds()
}

func TestFourAttemptsArePrintedOnce(t *testing.T) {
	t.Parallel()
	p := start(t, home(t))
	// A proxy forwards each request and drops the response.
	hook, err := url.Parse(p.url)
	require.NoError(t, err)
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: hook.Scheme, Host: hook.Host})
	var answers []int
	pass.ModifyResponse = func(r *http.Response) error {
		answers = append(answers, r.StatusCode)
		return fmt.Errorf("lost")
	}
	pass.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	proxy := httptest.NewServer(pass)
	defer proxy.Close()

	sender := webhooktest.JobServ{Secret: webhook.NewSecret("secret")}
	sent := sender.Deliver(t.Context(), proxy.URL+"/webhook", fixture(t, "build.detailed.json"))
	require.Len(t, sent.Attempts, 4)
	require.Equal(t, []int{202, 202, 202, 202}, answers)
	p.counts(t, `hookhouse_received_seconds_count{outcome="duplicate",type="jobserv.build"} 3`)
	p.counts(t, `hookhouse_deliveries{state="done",type="jobserv.build"} 1`)
	require.Equal(t, 1, strings.Count(p.stop(t), "build 67"))
}

func TestForgedNotificationsAreRejected(t *testing.T) {
	t.Parallel()
	dir := home(t)
	p := start(t, dir)
	sender := webhooktest.JobServ{Secret: webhook.NewSecret("wrong")}
	sent := sender.Deliver(t.Context(), p.url, fixture(t, "build.detailed.json"))
	require.False(t, sent.Delivered)
	require.Len(t, sent.Attempts, 4)
	for _, a := range sent.Attempts {
		require.Equal(t, http.StatusUnauthorized, a.Status)
	}
	p.counts(t, `hookhouse_rejected_total{source="jobserv",status="401"} 4`)
	require.Empty(t, p.stop(t))
	require.NotContains(t, p.log.String(), "sha256:", "no signature in the log")
}

func TestOtherRequestsAndMalformedBody(t *testing.T) {
	t.Parallel()
	p := start(t, home(t))
	for page, want := range map[string]int{"/metrics": 200, "/webhook": 405, "/": 404, "/webhook/": 404} {
		status, _ := p.get(t, page)
		require.Equal(t, want, status, page)
	}
	// A signed body is stored even if it cannot be decoded, and the log says so.
	p.deliver(t, []byte(`{"build_id": "none"}`))
	p.counts(t, `hookhouse_deliveries{state="dead",type="jobserv.build"} 1`)
	p.deliver(t, fixture(t, "build.minimal.json"))
	p.prints(t, "FAILED: demo build 1, 54s\n")
	status, health := p.get(t, "/healthz")
	require.Equal(t, 200, status)
	require.Contains(t, health, `"ok":true`)
	p.stop(t)
	require.Contains(t, p.log.String(), "delivery is dead")
}
