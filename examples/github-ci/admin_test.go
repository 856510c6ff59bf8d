package main

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// startAdmin starts the program with -admin-addr.
func startAdmin(t *testing.T, addr string, env ...string) adminStart {
	t.Helper()
	r := newFurtherRig(t, "true")
	r.args, r.env = []string{"-admin-addr", addr}, env
	r.start()
	return adminStart{r.p.admin + inspectPath, r.p.url + "/hooks/github", func() { r.signalAndWait(syscall.SIGTERM) }}
}

// refuse runs a start that fails.
func refuse(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	r := newFurtherRig(t, "true")
	r.env = env
	out, err := r.command(append([]string{"-addr", "127.0.0.1:0", "-url", "http://ci.example.com"}, args...)...).CombinedOutput()
	return string(out), err
}

// Builds can reach -admin-addr: without a password they would pause all others.
func TestInspectorActsOnlyWithAPassword(t *testing.T) {
	for _, tt := range []struct {
		env  []string
		want int
	}{{nil, http.StatusForbidden}, {[]string{inspectName + "=" + adminPassword}, http.StatusOK}} {
		p := startAdmin(t, "127.0.0.1:0", tt.env...)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.inspector+"api/pause", strings.NewReader(`{"type":"github.push","by":"ada","why":"a test"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth("ada", adminPassword)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.want {
			t.Errorf("with %q: status %d, %v, want %d: %s", tt.env, res.StatusCode, err, tt.want, text)
		}
		p.stop()
	}
}

func TestListOfBuildsLeadsToTheInspector(t *testing.T) {
	p := startAdmin(t, "127.0.0.1:0")
	page, err := io.ReadAll(ask(t, http.MethodGet, strings.TrimSuffix(p.inspector, "inspect/")).Body)
	if err != nil || !strings.Contains(string(page), `<a href="./inspect/">`) {
		t.Errorf("%v, the page has no link: %s", err, page)
	}
	p.stop()
}
