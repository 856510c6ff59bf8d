package main

import (
	"encoding/json"
	"fmt"
	"math"
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

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// notifications returns the distinct bodies in testdata and, if it exists, in a
// folder shared/fixtures next to the repository.
func notifications(t *testing.T) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/build.*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 7 {
		t.Fatalf("len(files) = %d, want at least 7", len(files))
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
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
		if err != nil {
			t.Fatal(err)
		}
		// A build in two shapes is one build, and a body without completion is one by itself.
		var build struct{ URL, Completed string }
		if err := json.Unmarshal(body, &build); err != nil {
			t.Fatal(err)
		}
		key := build.URL + " " + build.Completed
		if build.Completed == "" {
			key = string(body)
		}
		if !seen[key] {
			bodies = append(bodies, body)
		}
		seen[key] = true
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
	p.counts(t, fmt.Sprintf(`hookhouse_attempts_total{state="done",type="jobserv.build"} %d`, len(bodies)))
	out := p.stop(t)
	if got := heading.FindAllString(out, -1); len(got) != len(bodies) {
		t.Fatalf("len(heading.FindAllString(out, -1)) = %d, want %d: %v", len(got), len(bodies), got)
	}
	for _, body := range bodies {
		var want map[string]any
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out, first(want, "web_url", "url", "build_url")) {
			t.Fatalf("out = %q, want it to contain %q", out, first(want, "web_url", "url", "build_url"))
		}
		for _, r := range want["runs"].([]any) {
			run := r.(map[string]any)
			for _, name := range []string{"name", "status", "host_tag"} {
				if !strings.Contains(out, first(run, name)) {
					t.Fatalf("out = %q, want it to contain %q", out, first(run, name))
				}
			}
			if !strings.Contains(out, first(run, "web_url", "url")) {
				t.Fatalf("out = %q, want it to contain %q", out, first(run, "web_url", "url"))
			}
		}
	}
	if !strings.Contains(out, `PASSED: acme/lmp build 67, containers-devel, 8m51s
  https://ci.example.com/projects/acme/lmp/builds/67
  Push to devel: naïve fix
  PASSED  build-amd64   1m5s   amd64-partner  https://ci.example.com/projects/acme/lmp/builds/67/build-amd64
  PASSED  publish-apps  7m35s  amd64-partner  https://ci.example.com/projects/acme/lmp/builds/67/publish-apps
`) {
		t.Fatalf("out = %q, want it to contain %q", out, `PASSED: acme/lmp build 67, containers-devel, 8m51s
  https://ci.example.com/projects/acme/lmp/builds/67
  Push to devel: naïve fix
  PASSED  build-amd64   1m5s   amd64-partner  https://ci.example.com/projects/acme/lmp/builds/67/build-amd64
  PASSED  publish-apps  7m35s  amd64-partner  https://ci.example.com/projects/acme/lmp/builds/67/publish-apps
`)
	}
	if !strings.Contains(out, "PASSED after a rerun: acme/lmp build 67, ") {
		t.Fatalf("out = %q, want it to contain \"PASSED after a rerun: acme/lmp build 67, \"", out)
	}
	if !strings.Contains(out, "\n  no-start: log https://api.example.com/projects/acme/lmp/builds/70/runs/no-start/console.log\n") {
		t.Fatalf("out = %q, want it to contain %q", out, "\n  no-start: log https://api.example.com/projects/acme/lmp/builds/70/runs/no-start/console.log\n")
	}
}

func TestPrintJSON(t *testing.T) {
	t.Parallel()
	p := start(t, home(t), "-json")
	bodies := notifications(t)
	for _, body := range bodies {
		p.deliver(t, body)
	}
	p.counts(t, fmt.Sprintf(`hookhouse_attempts_total{state="done",type="jobserv.build"} %d`, len(bodies)))
	lines := results(t, p.stop(t))
	if len(lines) != len(bodies) {
		t.Fatalf("len(lines) = %d, want %d: %v", len(lines), len(bodies), lines)
	}
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
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		project := "acme/lmp"
		if strings.Contains(first(want, "url"), "/demo/") {
			project = "demo"
		}
		got := next(project)
		if got == nil {
			t.Fatalf("got = %v, want not nil", got)
		}
		if got, want := first(got, "build_id"), first(want, "build_id"); got != want {
			t.Fatalf(`first(got, "build_id") = %q, want %q`, got, want)
		}
		if diff := cmp.Diff(first(want, "status", "build_status"), got["status"]); diff != "" {
			t.Fatalf("got[\"status\"] (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(first(want, "web_url", "url", "build_url"), got["url"]); diff != "" {
			t.Fatalf("got[\"url\"] (-want +got):\n%s", diff)
		}
		if got, want := first(got, "reason"), first(want, "reason", "build_reason"); got != want {
			t.Fatalf(`first(got, "reason") = %q, want %q`, got, want)
		}
		if got, want := first(got, "trigger"), first(want, "trigger_name"); got != want {
			t.Fatalf(`first(got, "trigger") = %q, want %q`, got, want)
		}
		runs := got["runs"].([]any)
		if len(runs) != len(want["runs"].([]any)) {
			t.Fatalf("len(runs) = %d, want %d: %v", len(runs), len(want["runs"].([]any)), runs)
		}
		for i, r := range want["runs"].([]any) {
			run, got := r.(map[string]any), runs[i].(map[string]any)
			if diff := cmp.Diff(run["name"], got["name"]); diff != "" {
				t.Fatalf("got[\"name\"] (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(run["status"], got["status"]); diff != "" {
				t.Fatalf("got[\"status\"] (-want +got):\n%s", diff)
			}
			if got, want := first(got, "host_tag"), first(run, "host_tag"); got != want {
				t.Fatalf(`first(got, "host_tag") = %q, want %q`, got, want)
			}
			if diff := cmp.Diff(first(run, "web_url", "url"), got["url"]); diff != "" {
				t.Fatalf("got[\"url\"] (-want +got):\n%s", diff)
			}
			if got["log_url"] == nil {
				t.Fatalf(`got["log_url"] = %v, want not nil`, got["log_url"])
			}
			if s, ok := got["seconds"].(float64); !ok || math.Abs(s-seconds(t, run)) > 0.001 {
				t.Fatalf("seconds = %v, want %v", got["seconds"], seconds(t, run))
			}
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
	if err != nil {
		t.Fatal(err)
	}
	to, err := time.Parse(time.RFC3339Nano, first(run, "completed"))
	if err != nil {
		t.Fatal(err)
	}
	return to.Sub(from).Seconds()
}

func TestFourAttemptsArePrintedOnce(t *testing.T) {
	t.Parallel()
	p := start(t, home(t))
	// A proxy forwards each request and drops the response.
	hook, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: hook.Scheme, Host: hook.Host})
	var answers []int
	pass.ModifyResponse = func(r *http.Response) error {
		answers = append(answers, r.StatusCode)
		return fmt.Errorf("lost")
	}
	pass.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	proxy := httptest.NewServer(pass)
	defer proxy.Close()

	sender := webhooktest.JobServ{Secret: webhook.NewSecret(secret)}
	sent := sender.Deliver(t.Context(), proxy.URL+"/webhook", fixture(t, "build.detailed.json"))
	if len(sent.Attempts) != 4 {
		t.Fatalf("len(sent.Attempts) = %d, want 4: %v", len(sent.Attempts), sent.Attempts)
	}
	if diff := cmp.Diff([]int{202, 202, 202, 202}, answers); diff != "" {
		t.Fatalf("answers (-want +got):\n%s", diff)
	}
	p.counts(t, `hookhouse_received_total{outcome="duplicate",source="jobserv",type="jobserv.build"} 3`)
	p.counts(t, `hookhouse_attempts_total{state="done",type="jobserv.build"} 1`)
	if got := strings.Count(p.stop(t), "build 67"); got != 1 {
		t.Fatalf(`strings.Count(p.stop(), "build 67") = %d, want %d`, got, 1)
	}
}

func TestForgedNotificationsAreRejected(t *testing.T) {
	t.Parallel()
	dir := home(t)
	p := start(t, dir)
	sender := webhooktest.JobServ{Secret: webhook.NewSecret("wrong")}
	sent := sender.Deliver(t.Context(), p.url, fixture(t, "build.detailed.json"))
	if sent.Delivered {
		t.Fatal("sent.Delivered is true, want false")
	}
	if len(sent.Attempts) != 4 {
		t.Fatalf("len(sent.Attempts) = %d, want 4: %v", len(sent.Attempts), sent.Attempts)
	}
	for _, a := range sent.Attempts {
		if a.Status != http.StatusUnauthorized {
			t.Fatalf("a.Status = %d, want %d", a.Status, http.StatusUnauthorized)
		}
	}
	p.counts(t, `hookhouse_requests_rejected_total{source="jobserv",status="401"} 4`)
	if got := p.stop(t); got != "" {
		t.Fatalf("p.stop() = %q, want empty", got)
	}
	if got := p.log.String(); strings.Contains(got, "sha256:") {
		t.Fatalf("no signature in the log: p.log.String() = %q, want it not to contain \"sha256:\"", got)
	}
}

func TestOtherRequestsAndMalformedBody(t *testing.T) {
	t.Parallel()
	p := start(t, home(t))
	for page, want := range map[string]int{"/metrics": 200, "/webhook": 405, "/": 404, "/webhook/": 404} {
		status, _ := p.get(t, page)
		if status != want {
			t.Fatalf("%v: status = %d, want %d", page, status, want)
		}
	}
	// A signed body is stored even if it cannot be decoded, and the log says so.
	p.deliver(t, []byte(`{"build_id": "none"}`))
	p.counts(t, `hookhouse_attempts_total{state="dead",type="jobserv.build"} 1`)
	p.deliver(t, fixture(t, "build.minimal.json"))
	p.prints(t, "FAILED: demo build 1, 54s\n")
	status, health := p.get(t, "/healthz")
	if status != 200 {
		t.Fatalf("status = %d, want 200", status)
	}
	if !strings.Contains(health, `"ok":true`) {
		t.Fatalf("health = %q, want it to contain %q", health, `"ok":true`)
	}
	p.stop(t)
	if got := p.log.String(); !strings.Contains(got, "delivery is dead") {
		t.Fatalf("p.log.String() = %q, want it to contain \"delivery is dead\"", got)
	}
}
