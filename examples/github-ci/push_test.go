package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// An event is one of a stream.
type event struct{ id, name, data string }

// stream opens the events of a build and returns a func for the next one.
func (r *rig) stream(path, lastID string) (next func() (event, bool)) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.p.url+path+"/events", nil)
	require.NoError(r, err)
	req.Header.Set("Last-Event-ID", lastID)
	res, err := http.DefaultClient.Do(req)
	require.NoError(r, err)
	r.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(r, "text/event-stream", res.Header.Get("Content-Type"))
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return func() (event, bool) {
		var e event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e != (event{}) {
					return e, true
				}
			}
		}
		return e, false
	}
}

func TestAPushIsBuiltAndItsLogIsReadLive(t *testing.T) {
	r := newRig(t, "echo '<b>begin</b> & ümlaut'; env; cat file.txt; echo run >>$RUNS"+waitForGate+"echo the end")
	sha := r.repo.commit("main", "hello from the commit")
	r.start()
	first := r.push(pushed{after: sha, created: true})
	status, path := r.untilStatus(sha, "pending")
	require.Equal(t, reported{"acme/app", sha, "pending", "building " + sha[:12], "github-ci", status.TargetURL}, status)

	// While it runs: the stream, the page, the list.
	next := r.stream(path, "")
	var text strings.Builder
	middle := ""
	for !strings.Contains(text.String(), "hello from the commit") {
		e, ok := next()
		require.True(t, ok)
		if e.name == "" {
			var part string
			require.NoError(t, json.Unmarshal([]byte(e.data), &part))
			text.WriteString(part)
			middle = e.id
		} else {
			require.Equal(t, event{name: "state", data: `{"detail":"","state":"running"}`}, e)
		}
	}
	require.NotContains(t, text.String(), "\nthe end\n")
	page := r.page(path)
	require.Contains(t, page, "&lt;b&gt;begin&lt;/b&gt; &amp; ümlaut")
	require.Contains(t, page, "&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;")
	require.NotContains(t, page, "<b>begin")
	require.Contains(t, r.page("/"), `class="running"`)

	// The command was told what it may know, and nothing else.
	var names []string
	for line := range strings.Lines(text.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.Contains(name, " ") {
			names = append(names, name)
			if name == "HOME" {
				require.True(t, strings.HasPrefix(value, filepath.Join(r.dir, "data", "work")), value)
			}
		}
	}
	require.Subset(t, []string{"PATH", "HOME", "CI", "CI_BUILD_ID", "CI_BUILD_URL", "CI_REPOSITORY", "CI_REF", "CI_BRANCH", "CI_COMMIT", "PWD", "OLDPWD", "SHLVL", "_"}, names)
	require.Contains(t, text.String(), "CI_COMMIT="+sha+"\n")

	// It ends, for those who follow as well.
	r.open()
	for {
		e, ok := next()
		require.True(t, ok, "the stream ends with an event")
		if e.name == "end" {
			require.Contains(t, e.data, `"state":"success"`)
			break
		}
	}
	status, _ = r.untilStatus(sha, "success")
	require.Contains(t, status.Description, "passed in")

	// After a restart all is there, and a reader goes on where it was.
	r.end(syscall.SIGTERM)
	r.start()
	require.Contains(t, r.page(path), "\nthe end\n")
	require.Contains(t, r.page(path+"/log"), "<b>begin</b> & ümlaut\n")
	e, ok := r.stream(path, middle)()
	require.True(t, ok)
	require.Equal(t, "state", e.name)
	next = r.stream(path, middle)
	text.Reset()
	for e, ok = next(); ok; e, ok = next() {
		text.WriteString(e.data)
	}
	require.Contains(t, text.String(), "the end")
	require.NotContains(t, text.String(), "begin")

	// The same again is a duplicate; pings are answered and not kept.
	again := sender.Redeliver(t.Context(), first.GUID, r.p.url+"/hooks/github", "push", pushed{repository: "acme/app", ref: "refs/heads/main", after: sha, created: true}.body())
	require.True(t, again.Delivered)
	require.True(t, sender.Deliver(t.Context(), r.p.url+"/hooks/github", "ping", []byte(`{"zen":"x"}`)).Delivered)
	other := r.repo.commit("main", "second")
	r.push(pushed{before: sha, after: other})
	r.untilStatus(other, "success")
	states, _ := r.hub.of(sha)
	require.Equal(t, []string{"pending", "success"}, states)
	require.Equal(t, "run\nrun\n", r.read(r.runs))
	r.hub.noFaults(t)
	r.end(syscall.SIGTERM)

	// The token and the secret are nowhere.
	require.NotContains(t, r.p.said(), token)
	require.NoError(t, filepath.WalkDir(filepath.Join(r.dir, "data"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.False(t, bytes.Contains(content, []byte(token)) || bytes.Contains(content, []byte(hookSecret)), path)
		}
		return err
	}))
}

func TestTheNewestPushReplacesThoseThatWait(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	one, two, three, four := r.repo.commit("main", "one"), r.repo.commit("main", "two"), r.repo.commit("main", "three"), r.repo.commit("main", "four")
	r.start()
	r.push(pushed{after: one, created: true})
	r.untilStatus(one, "pending")
	r.push(pushed{before: one, after: two})
	r.push(pushed{before: two, after: three})
	r.push(pushed{before: three, after: four})
	require.Contains(t, r.page("/"), "<td>acme/app refs/heads/main</td>", "one waits, and is shown")
	r.open()
	r.untilStatus(one, "success")
	r.untilStatus(four, "success")
	for _, skipped := range []string{two, three} {
		states, _ := r.hub.of(skipped)
		require.Empty(t, states)
	}
	require.Equal(t, "one\nfour\n", r.read(r.runs), "the running one finished, the newest came next")
	r.hub.noFaults(t)
}

func TestAForcedPushAndATag(t *testing.T) {
	r := newRig(t, "cat file.txt; test \"$CI_COMMIT\" = \"$(git rev-parse HEAD)\"; echo \"ref $CI_REF tag ${CI_TAG-none}\"")
	lost := r.repo.commit("main", "lost")
	r.repo.git("-C", r.repo.clone, "checkout", "--quiet", "--orphan", "anew")
	kept := r.repo.commit("main", "kept")
	r.repo.git("-C", r.repo.bare, "reflog", "expire", "--expire=now", "--all")
	r.repo.git("-C", r.repo.bare, "gc", "--quiet", "--prune=now")
	r.start()
	r.push(pushed{after: lost, created: true})
	status, path := r.untilStatus(lost, "error")
	require.Contains(t, status.Description, "the commit is gone: refs/heads/main was replaced and is "+kept[:12]+" now")
	require.Contains(t, r.page(path), "the commit is gone")

	r.push(pushed{before: lost, after: kept, forced: true})
	_, path = r.untilStatus(kept, "success")
	log := r.page(path + "/log")
	require.Contains(t, log, "this push was forced")
	require.Contains(t, log, "kept\nref refs/heads/main tag none\n")

	// The branch moves on; the exact commit is built all the same.
	older := r.repo.commit("main", "older")
	r.repo.commit("main", "newer")
	r.push(pushed{before: kept, after: older})
	_, path = r.untilStatus(older, "success")
	require.Contains(t, r.page(path+"/log"), "older\n")

	tagged := r.repo.commit("main", "tagged")
	r.repo.git("-C", r.repo.clone, "tag", "--annotate", "--message=x", "v1.0")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", "v1.0")
	r.push(pushed{ref: "refs/tags/v1.0", after: r.repo.git("-C", r.repo.clone, "rev-parse", "v1.0"), head: tagged, created: true})
	_, path = r.untilStatus(tagged, "success")
	require.Contains(t, r.page(path+"/log"), "ref refs/tags/v1.0 tag v1.0\n")

	// A branch that is gone before its build is one more way to be gone.
	r.repo.git("-C", r.repo.clone, "checkout", "--quiet", "--orphan", "away")
	name := "release/" + strings.Repeat("long-", 30)
	away := r.repo.commit(name, "away")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", ":refs/heads/"+name)
	r.repo.git("-C", r.repo.bare, "gc", "--quiet", "--prune=now")
	r.push(pushed{ref: "refs/heads/" + name, after: away, created: true})
	status, path = r.untilStatus(away, "error")
	require.Contains(t, status.Description, "the commit is gone: refs/heads/release/long-")
	require.Contains(t, r.page(path), name+" was deleted", "the page has more room than the status")
	r.hub.noFaults(t)
}

func TestADeletedBranchIsForgotten(t *testing.T) {
	r := newRig(t, "cat file.txt >>$RUNS"+waitForGate)
	one, two := r.repo.commit("release/x", "one"), r.repo.commit("release/x", "two")
	r.start()
	r.push(pushed{ref: "refs/heads/release/x", after: one, created: true})
	r.untilStatus(one, "pending")
	require.Equal(t, 1, r.areas())
	r.push(pushed{ref: "refs/heads/release/x", before: one, after: two})
	r.push(pushed{ref: "refs/heads/release/x", before: two, after: github.ZeroSHA, deleted: true})
	r.open()
	r.untilStatus(one, "success")
	r.until("the work area is gone", func() bool { return r.areas() == 0 })
	states, _ := r.hub.of(two)
	require.Empty(t, states, "what waited was dropped")
	require.Equal(t, "one\n", r.read(r.runs))
	r.hub.noFaults(t)
}

func TestADeletedBranchEndsABuildThatWouldRunAgain(t *testing.T) {
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
	r.until("the work area is gone", func() bool { return r.areas() == 0 })
	r.hub.noFaults(t)
}

func TestAPrivateRepositoryIsFetchedWithTheToken(t *testing.T) {
	r := newRig(t, "true")
	private := r.hub.repository(t, "acme/private")
	sha := private.commit("main", "private")
	r.write("github-ci.yaml", "repositories: [{name: acme/private, remote: '"+r.hub.URL+"/git/acme/private.git', branches: ['**'], command: 'cat .git/config; cat file.txt'}]")
	r.start()
	r.push(pushed{repository: "ACME/Private", after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	require.NotContains(t, r.page(path+"/log"), "xtra") // http.extraHeader
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	require.Positive(t, r.hub.fetches)
	require.Empty(t, r.hub.faults)
}

func TestForgedCallsAreRefused(t *testing.T) {
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
	require.Equal(t, "ok\n", r.page("/healthz"))
	metrics := r.page("/metrics")
	require.Contains(t, metrics, `hookhouse_rejected_total{source="github",status="401"} 2`)
	require.NotContains(t, metrics, "hookhouse_deliveries{")
	r.push(pushed{after: sha})
	r.untilStatus(sha, "success")
	r.untilPage("/metrics", `github_ci_build_seconds_count{repository="acme/app",result="success"} 1`)
	for _, path := range []string{"/builds/x", "/builds/..%2f..%2fgithub-ci.yaml", "/builds/" + strings.Repeat("0", 32) + "/log", "/static/build.html", "/nothing"} {
		code, _ := r.get(path)
		require.Equal(t, http.StatusNotFound, code, path)
	}
	require.Equal(t, "run\n", r.read(r.runs))
}
