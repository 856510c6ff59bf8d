package main

import (
	"os"
	"strings"
	"testing"
)

func TestUnreachableGitHubDoesNotRepeatBuild(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	sha := r.repo.commit("main", "one")
	r.hub.setDown(true)
	r.start()
	r.push(pushed{after: sha})
	r.untilPage("/", `class="success"`)
	r.until("the status was sent", func() bool { return strings.Contains(r.p.logText(), "GitHub answered 503") })
	r.hub.setDown(false)
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path); !strings.Contains(got, "passed in") {
		t.Fatalf("r.page(path) = %q, want it to contain \"passed in\"", got)
	}
	if got := r.read(r.runs); got != "run\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\n")
	}
	r.hub.noFaults(t)
}

func TestUnreachableRemoteIsRetried(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	sha := r.repo.commit("main", "one")
	away := r.repo.bare + ".away"
	if err := os.Rename(r.repo.bare, away); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.push(pushed{after: sha})
	r.untilPage("/", `class="waiting"`)
	if err := os.Rename(away, r.repo.bare); err != nil {
		t.Fatal(err)
	}
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "it will run again") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "it will run again")
	}
	if got := r.read(r.runs); got != "run\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\n")
	}
}
