package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	require.Contains(t, r.page("/"), "<td>acme/app refs/heads/main</td>", "the list shows the waiting push")
	r.openGate()
	r.untilStatus(one, "success")
	r.untilStatus(four, "success")
	for _, skipped := range []string{two, three} {
		states, _ := r.hub.statusesOf(skipped)
		require.Empty(t, states)
	}
	require.Equal(t, "one\nfour\n", r.read(r.runs), "the running build finishes, then the newest runs")
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
	require.Contains(t, status.Description, "commit is no longer available: refs/heads/main now points to "+kept[:12])
	require.Contains(t, r.page(path), "commit is no longer available")

	r.push(pushed{before: lost, after: kept, forced: true})
	_, path = r.untilStatus(kept, "success")
	log := r.page(path + "/log")
	require.Contains(t, log, "forced push")
	require.Contains(t, log, "kept\nref refs/heads/main tag none\n")

	// The branch moves on, but the pushed commit is built.
	older := r.repo.commit("main", "older")
	r.repo.commit("main", "newer")
	r.push(pushed{before: kept, after: older})
	_, path = r.untilStatus(older, "success")
	require.Contains(t, r.page(path+"/log"), "older\n")

	tagged := r.repo.commit("main", "tagged")
	r.repo.git("-C", r.repo.clone, "tag", "--annotate", "--message=x", "v1.0")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", "v1.0")
	r.push(pushed{ref: "refs/tags/v1.0", after: r.repo.git("-C", r.repo.clone, "rev-parse", "v1.0"), head: tagged, created: true})
	status, path = r.untilStatus(tagged, "success")
	require.Equal(t, "github-ci/tag", status.Context)
	require.Contains(t, r.page(path+"/log"), "ref refs/tags/v1.0 tag v1.0\n")

	// The commit of a deleted branch is no longer available either.
	r.repo.git("-C", r.repo.clone, "checkout", "--quiet", "--orphan", "away")
	name := "release/" + strings.Repeat("long-", 30)
	away := r.repo.commit(name, "away")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", ":refs/heads/"+name)
	r.repo.git("-C", r.repo.bare, "gc", "--quiet", "--prune=now")
	r.push(pushed{ref: "refs/heads/" + name, after: away, created: true})
	status, path = r.untilStatus(away, "error")
	require.Contains(t, status.Description, "commit is no longer available: refs/heads/release/long-")
	require.Contains(t, r.page(path), name+" was deleted", "the page shows the whole detail")
	r.hub.noFaults(t)
}

func TestDeletedBranch(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	one, two := r.repo.commit("release/x", "one"), r.repo.commit("release/x", "two")
	r.start()
	r.push(pushed{ref: "refs/heads/release/x", after: one, created: true})
	r.untilStatus(one, "pending")
	require.Equal(t, 1, r.areas())
	r.push(pushed{ref: "refs/heads/release/x", before: one, after: two})
	r.push(pushed{ref: "refs/heads/release/x", before: two, after: github.ZeroSHA, deleted: true})
	r.openGate()
	r.untilStatus(one, "success")
	r.until("the work area is removed", func() bool { return r.areas() == 0 })
	states, _ := r.hub.statusesOf(two)
	require.Empty(t, states, "the waiting push is dropped")
	require.Equal(t, "one\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestDeletedBranchEndsWaitingBuild(t *testing.T) {
	r := newRig(t, "true")
	sha := r.repo.commit("main", "one")
	require.NoError(t, os.Rename(r.repo.bare, r.repo.bare+".away"))
	r.start()
	r.push(pushed{after: sha})
	r.untilPage("/", `class="waiting"`)
	r.push(pushed{before: sha, after: github.ZeroSHA, deleted: true})
	status, path := r.untilStatus(sha, "error")
	require.Equal(t, "the ref was deleted", status.Description)
	require.Contains(t, r.page(path), `class="replaced"`)
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
		require.False(t, forged.Delivered)
		require.Equal(t, http.StatusUnauthorized, forged.Attempts[0].Status)
	}
	metrics := r.page("/metrics")
	require.Contains(t, metrics, `hookhouse_rejected_total{source="github",status="401"} 2`)
	require.NotContains(t, metrics, "hookhouse_deliveries{")
	r.push(pushed{after: sha})
	r.untilStatus(sha, "success")
	r.untilPage("/metrics", `github_ci_build_seconds_count{repository="acme/app",result="success"} 1`)
	require.Contains(t, r.page("/healthz"), `"ok":true`)
	for _, path := range []string{"/builds/x", "/builds/..%2f..%2fgithub-ci.yaml", "/builds/" + strings.Repeat("0", 32) + "/log", "/static/build.html", "/nothing"} {
		code, _ := r.get(path)
		require.Equal(t, http.StatusNotFound, code, path)
	}
	require.Equal(t, "run\n", r.read(r.runs))
}
