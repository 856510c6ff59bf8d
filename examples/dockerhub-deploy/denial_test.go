package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/examples/dockerhub-deploy/notice"
)

// results returns what a mailbox has got, each once: it refuses the first post, which is
// repeated.
func (m *mailbox) results(t *testing.T, path string) (all []notice.Result) {
	t.Helper()
	for i, post := range m.at(path) {
		var r notice.Result
		if err := json.Unmarshal([]byte(post), &r); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			all = append(all, r)
		}
	}
	return all
}

// A registry that denies a push or a pull is not asked often, and people are notified when
// that begins and when it ends.
func TestDenialIsNotifiedWhenItBeginsAndEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method, says string
		status       int
	}{
		"the question":              {http.MethodHead, "status 403 Forbidden", http.StatusForbidden},
		"the pull":                  {http.MethodGet, "manifest unknown", http.StatusNotFound},
		"the pull, for want of one": {http.MethodGet, "401 Unauthorized", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := newMailbox(t)
			h := newRunHost(t, "acme/app:latest")
			h.push("latest", "healthy")
			h.start("-registry-retry=20ms", "-notify="+box.URL)
			h.until("the first deployment", func() bool { return len(box.results(t, "/")) == 1 })
			h.idle()
			h.deny(test.method, test.status)
			digest := h.push("latest", "healthy")
			h.call("latest", 1)
			h.until("the notice", func() bool { return len(box.results(t, "/")) == 2 })
			h.until("more attempts", func() bool { return strings.Count(h.logText(), test.says) > 4 })
			h.deny("", 0)
			h.until("the end", func() bool { return len(box.results(t, "/")) > 2 })
			h.idle()
			h.requireOnly("web", digest)
			got := box.results(t, "/")
			if len(got) != 3 || got[1].Outcome != notice.Denied || got[1].Target != "run:web" || !strings.Contains(got[1].Reason, test.says) ||
				got[2].Outcome != notice.Deployed || !strings.HasPrefix(got[2].Reason, "the registry has denied it since ") {
				t.Errorf("the notices are %+v", got)
			}
			if strings.Contains(h.logText(), "attempt=2") {
				t.Error("an attempt counted")
			}
		})
	}
}

// At the start no delivery waits, and nothing is to be deployed when the denial ends.
func TestDeniedLookupIsNotified(t *testing.T) {
	t.Parallel()
	box := newMailbox(t)
	h := newExecHost(t, "latest", "")
	h.push("latest", "")
	h.start()
	h.result("exec:shop", "deployed", 1)
	_ = h.program.Process.Kill()
	h.until("the kill", h.exited)
	h.deny(http.MethodHead, http.StatusUnauthorized)
	h.start("-registry-retry=20ms", "-poll=100ms", "-notify="+box.URL)
	h.until("the notice", func() bool { return len(box.results(t, "/")) == 1 })
	h.until("more lookups", func() bool { return strings.Count(h.logText(), "the registry cannot be asked") > 4 })
	h.deny("", 0)
	h.until("the end", func() bool { return len(box.results(t, "/")) > 1 })
	h.idle()
	got := box.results(t, "/")
	if len(got) != 2 || got[0].Outcome != notice.Denied || !strings.HasPrefix(got[1].Reason, "the registry has denied it since ") {
		t.Errorf("the notices are %+v", got)
	}
}

// A version that was rolled back is passed over, and the one below it is deployed.
func TestLookupPassesOverRejectedVersions(t *testing.T) {
	t.Parallel()
	h := newRunHost(t, "acme/app:^1")
	h.push("1.4.0", "healthy")
	h.start()
	h.result("run:web", "deployed", 1)
	_ = h.program.Process.Kill()
	h.until("the kill", h.exited)
	digest := h.push("1.5.0", "healthy")
	h.push("1.6.0", "unhealthy")
	h.push("1.7.0", "unhealthy")
	h.start("-poll=100ms")
	h.result("run:web", "rolled back", 2)
	h.result("run:web", "deployed", 1)
	h.until("the line", func() bool {
		return strings.Contains(h.logText(), `msg="nothing is ordered in place of what was rejected by an earlier attempt" target=run:web tags="[1.7.0 1.6.0]"`)
	})
	h.idle()
	h.requireOnly("web", digest)
	if got := strings.Count(h.logText(), `msg="rolled back"`); got != 2 {
		t.Errorf("%d rollbacks, want 2", got)
	}
	fixed := h.push("1.8.0", "healthy")
	h.until("the fixed version", func() bool { return h.containers()["web"].Config.Labels["hookhouse.tag"] == "1.8.0" })
	h.idle()
	h.requireOnly("web", fixed)
}
