package main

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// A build that was to run again ends if its branch is not configured any more, so that
// its status and its page do not wait forever. It is not built again either.
func TestBuildOfBranchThatIsNotConfiguredAnyMore(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS"+waitForGate)
	r.args = []string{"-admin-addr", "127.0.0.1:0"}
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha, created: true})
	r.until("the build runs", func() bool { return r.read(r.runs) != "" })
	r.signalAndWait(syscall.SIGKILL)
	config := r.read(r.dir + "/github-ci.yaml")
	r.write("github-ci.yaml", strings.Replace(config, "[main, ", "[", 1))
	r.start()
	status, path := r.untilStatus(sha, "error")
	if want := "cannot run again: the ref is not configured any more"; status.Description != want {
		t.Errorf("the description is %q, want %q", status.Description, want)
	}
	if code := r.post(path+"/again", "same-origin"); code != http.StatusConflict {
		t.Errorf("build again: status %d, want %d", code, http.StatusConflict)
	}
	if got := r.page(path); !strings.Contains(got, `class="error"`) {
		t.Errorf("the page is %s", got)
	}
	r.hub.noFaults(t)
}
