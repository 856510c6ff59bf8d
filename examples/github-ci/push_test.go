package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestNewestPushReplacesWaitingOnes(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	one, two, three, four := r.repo.commit("main", "one"), r.repo.commit("main", "two"), r.repo.commit("main", "three"), r.repo.commit("main", "four")
	r.start()
	r.push(pushed{after: one, created: true})
	r.untilStatus(one, "pending")
	r.push(pushed{before: one, after: two})
	r.push(pushed{before: two, after: three})
	r.push(pushed{before: three, after: four})
	if got := r.page("/"); !strings.Contains(got, "<td>acme/app refs/heads/main</td>") {
		t.Fatalf(`the list shows the waiting push: r.page("/") = %q, want it to contain %q`, got, "<td>acme/app refs/heads/main</td>")
	}
	r.openGate()
	r.untilStatus(one, "success")
	r.untilStatus(four, "success")
	for _, skipped := range []string{two, three} {
		states, _ := r.hub.statusesOf(skipped)
		if len(states) != 0 {
			t.Fatalf("states = %v, want empty", states)
		}
	}
	if got := r.read(r.runs); got != "one\nfour\n" {
		t.Fatalf("the running build finishes, then the newest runs: r.read(r.runs) = %q, want %q", got, "one\nfour\n")
	}
	r.hub.noFaults(t)
}

func TestForcedPushAndTag(t *testing.T) {
	r := newRig(t, "cat file.txt; test \"$CI_COMMIT\" = \"$(git rev-parse HEAD)\"; echo \"ref $CI_REF tag ${CI_TAG-none}\"")
	lost := r.repo.commit("main", "lost")
	r.repo.git("-C", r.repo.clone, "checkout", "--quiet", "--orphan", "anew")
	kept := r.repo.commit("main", "kept")
	r.repo.git("-C", r.repo.bare, "reflog", "expire", "--expire=now", "--all")
	r.repo.git("-C", r.repo.bare, "gc", "--quiet", "--prune=now")
	r.start()
	r.push(pushed{after: lost, created: true})
	status, path := r.untilStatus(lost, "error")
	if !strings.Contains(status.Description, "commit is no longer available: refs/heads/main now points to "+kept[:12]) {
		t.Fatalf("status.Description = %q, want it to contain %q", status.Description, "commit is no longer available: refs/heads/main now points to "+kept[:12])
	}
	if got := r.page(path); !strings.Contains(got, "commit is no longer available") {
		t.Fatalf("r.page(path) = %q, want it to contain \"commit is no longer available\"", got)
	}

	r.push(pushed{before: lost, after: kept, forced: true})
	_, path = r.untilStatus(kept, "success")
	log := r.page(path + "/log")
	if !strings.Contains(log, "forced push") {
		t.Fatalf("log = %q, want it to contain \"forced push\"", log)
	}
	if !strings.Contains(log, "kept\nref refs/heads/main tag none\n") {
		t.Fatalf("log = %q, want it to contain %q", log, "kept\nref refs/heads/main tag none\n")
	}

	// The branch moves on, but the pushed commit is built.
	older := r.repo.commit("main", "older")
	r.repo.commit("main", "newer")
	r.push(pushed{before: kept, after: older})
	_, path = r.untilStatus(older, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "older\n") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "older\n")
	}

	tagged := r.repo.commit("main", "tagged")
	r.repo.git("-C", r.repo.clone, "tag", "--annotate", "--message=x", "v1.0")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", "v1.0")
	r.push(pushed{ref: "refs/tags/v1.0", after: r.repo.git("-C", r.repo.clone, "rev-parse", "v1.0"), head: tagged, created: true})
	status, path = r.untilStatus(tagged, "success")
	if status.Context != "github-ci/tag" {
		t.Fatalf("status.Context = %q, want \"github-ci/tag\"", status.Context)
	}
	if got := r.page(path + "/log"); !strings.Contains(got, "ref refs/tags/v1.0 tag v1.0\n") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, "ref refs/tags/v1.0 tag v1.0\n")
	}

	// The commit of a deleted branch is no longer available either.
	r.repo.git("-C", r.repo.clone, "checkout", "--quiet", "--orphan", "away")
	name := "release/" + strings.Repeat("long-", 30)
	away := r.repo.commit(name, "away")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", ":refs/heads/"+name)
	r.repo.git("-C", r.repo.bare, "gc", "--quiet", "--prune=now")
	r.push(pushed{ref: "refs/heads/" + name, after: away, created: true})
	status, path = r.untilStatus(away, "error")
	if !strings.Contains(status.Description, "commit is no longer available: refs/heads/release/long-") {
		t.Fatalf("status.Description = %q, want it to contain \"commit is no longer available: refs/heads/release/long-\"", status.Description)
	}
	if got := r.page(path); !strings.Contains(got, name+" was deleted") {
		t.Fatalf("the page shows the whole detail: r.page(path) = %q, want it to contain %q", got, name+" was deleted")
	}
	r.hub.noFaults(t)
}

func TestDeletedBranch(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	one, two := r.repo.commit("release/x", "one"), r.repo.commit("release/x", "two")
	r.start()
	r.push(pushed{ref: "refs/heads/release/x", after: one, created: true})
	r.untilStatus(one, "pending")
	if got := r.areas(); got != 1 {
		t.Fatalf("r.areas() = %d, want 1", got)
	}
	r.push(pushed{ref: "refs/heads/release/x", before: one, after: two})
	r.push(pushed{ref: "refs/heads/release/x", before: two, after: github.ZeroSHA, deleted: true})
	r.openGate()
	r.untilStatus(one, "success")
	r.until("the work area is removed", func() bool { return r.areas() == 0 })
	states, _ := r.hub.statusesOf(two)
	if len(states) != 0 {
		t.Fatalf("the waiting push is dropped: states = %v, want empty", states)
	}
	if got := r.read(r.runs); got != "one\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "one\n")
	}
	r.hub.noFaults(t)
}

func TestDeletedBranchEndsWaitingBuild(t *testing.T) {
	r := newRig(t, "true")
	sha := r.repo.commit("main", "one")
	if err := os.Rename(r.repo.bare, r.repo.bare+".away"); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.push(pushed{after: sha})
	r.untilPage("/", `class="waiting"`)
	r.push(pushed{before: sha, after: github.ZeroSHA, deleted: true})
	status, path := r.untilStatus(sha, "error")
	if status.Description != "the ref was deleted" {
		t.Fatalf("status.Description = %q, want \"the ref was deleted\"", status.Description)
	}
	if got := r.page(path); !strings.Contains(got, `class="replaced"`) {
		t.Fatalf("r.page(path) = %q, want it to contain %q", got, `class="replaced"`)
	}
	r.until("the work area is removed", func() bool { return r.areas() == 0 })
	r.hub.noFaults(t)
}

func TestForgedPushesAreRejected(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	sha := r.repo.commit("main", "one")
	r.start()
	body := pushed{repository: "acme/app", ref: "refs/heads/main", after: sha}.body()
	forger := webhooktest.GitHub{Secret: webhook.NewSecret("another secret")}
	for _, forged := range []webhooktest.Result{
		forger.Deliver(t.Context(), r.p.url+"/hooks/github", "push", body),
		(&webhooktest.GitHub{}).Deliver(t.Context(), r.p.url+"/hooks/github", "push", body),
	} {
		if forged.Delivered {
			t.Fatal("forged.Delivered is true, want false")
		}
		if forged.Attempts[0].Status != http.StatusUnauthorized {
			t.Fatalf("forged.Attempts[0].Status = %d, want %d", forged.Attempts[0].Status, http.StatusUnauthorized)
		}
	}
	metrics := r.page("/metrics")
	if !strings.Contains(metrics, `hookhouse_requests_rejected_total{source="github",status="401"} 2`) {
		t.Fatalf("metrics = %q, want it to contain %q", metrics, `hookhouse_requests_rejected_total{source="github",status="401"} 2`)
	}
	if strings.Contains(metrics, "hookhouse_stored_deliveries{") {
		t.Fatalf("metrics = %q, want it not to contain \"hookhouse_stored_deliveries{\"", metrics)
	}
	r.push(pushed{after: sha})
	r.untilStatus(sha, "success")
	r.untilPage("/metrics", `github_ci_build_seconds_count{repository="acme/app",result="success"} 1`)
	if got := r.page("/healthz"); !strings.Contains(got, `"ok":true`) {
		t.Fatalf(`r.page("/healthz") = %q, want it to contain %q`, got, `"ok":true`)
	}
	for _, path := range []string{"/builds/x", "/builds/..%2f..%2fgithub-ci.yaml", "/builds/" + strings.Repeat("0", 32) + "/log", "/static/build.html", "/nothing"} {
		code, _ := r.get(path)
		if code != http.StatusNotFound {
			t.Fatalf("%v: code = %d, want %d", path, code, http.StatusNotFound)
		}
	}
	if got := r.read(r.runs); got != "run\n" {
		t.Fatalf("r.read(r.runs) = %q, want %q", got, "run\n")
	}
}
