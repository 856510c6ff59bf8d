package kudu_test

import (
	"maps"
	"net/http"
	"strings"
)

// wantAllRun requires that each event that the site lists has run exactly once, apart from
// the first ones, and that none has run twice.
func (g *catchUpRig) wantAllRun() {
	g.t.Helper()
	if n := g.missing(); n > 0 {
		g.t.Errorf("%d of %d events have not run\n%s", n, len(g.sent), g.log.String())
	}
}

// missing returns how many events that the site lists did not run, and an error if one ran
// twice.
func (g *catchUpRig) missing() (n int) {
	g.t.Helper()
	listed := make(map[string]bool)
	for _, d := range g.site.Deployments() {
		listed[idOf(d.ID, d.EndTime)] = true
	}
	for _, r := range g.site.Runs("nightly") {
		listed[idOf(r.ID, r.EndTime)] = true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range g.sent {
		if listed[id] && g.ran[id] == 0 {
			n++
		}
	}
	for id, runs := range maps.All(g.ran) {
		if runs > 1 {
			g.t.Errorf("%s ran %d times", id, runs)
		}
	}
	return n
}

// wantSaid requires that a text was logged n times.
func (g *catchUpRig) wantSaid(n int, text string) {
	g.t.Helper()
	if got := g.log.Count(text); got != n {
		g.t.Errorf("%q was logged %d times, want %d:\n%s", text, got, n, g.log.String())
	}
}

// looks returns how many requests for the list got the status.
func (g *catchUpRig) looks(status int) (n int) {
	for _, r := range g.site.Calls() {
		if r.Method == http.MethodGet && !strings.Contains(r.Path, "hooks") && r.Status == status {
			n++
		}
	}
	return n
}
