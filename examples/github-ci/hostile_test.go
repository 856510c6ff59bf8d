package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostileRefs are such that git itself would not have, or no GitHub sends.
var hostileRefs = []string{
	"--upload-pack=touch pwned", "-x", "refs/heads/-x", "refs/heads/--upload-pack=touch${IFS}pwned", "refs/tags/-v1",
	"../../x", "refs/heads/../../x", "refs/heads/..", "refs/heads/a/../../b", "/etc/passwd", "refs/heads//etc", "refs/heads/x/",
	"refs/heads/a\nb", "refs/heads/a\x00b", "refs/heads/a b", "refs/heads/a\tb", "refs/heads/a\x7fb", "refs/heads/a~1", "refs/heads/a^{}", "refs/heads/a:b",
	"refs/heads/*", "refs/heads/a?", "refs/heads/[a]", `refs/heads/a\b`, "refs/heads/.git", "refs/heads/a/.b", "refs/heads/a.lock", "refs/heads/a.lock/b",
	"refs/heads/a.", "refs/heads/@{u}", "refs/heads/@", "refs/heads/", "refs/remotes/origin/main", "HEAD", "",
	"refs/heads/" + strings.Repeat("a", 2000), "ext::sh -c touch% pwned",
}

func TestARefIsWhatGitTakesForOne(t *testing.T) {
	t.Parallel()
	ugly := []string{"main", "a/b", "a'b", `a"b`, "a$(id)b", "a;b", "a&b|c", "<script>", "größe", "日本", "a-", "a@b", "a.b", "#1", "%2e%2e", "!x", "a{b}"}
	for _, name := range ugly {
		require.NoError(t, checkRef("refs/heads/"+name))
		require.NoError(t, exec.Command("git", "check-ref-format", "refs/heads/"+name).Run(), name)
	}
	for _, ref := range hostileRefs {
		require.Error(t, checkRef(ref), "%q", ref)
	}
	// Whatever passes here passes there.
	for c := range rune(0x180) {
		for _, name := range []string{string(c), "a" + string(c), string(c) + "a", "a" + string(c) + "a", "a/" + string(c) + "a"} {
			if ref := "refs/heads/" + name; c != 0 && c < 0x80 && checkRef(ref) == nil {
				require.NoError(t, exec.Command("git", "check-ref-format", ref).Run(), "%q", ref)
			}
		}
	}
}

func TestHostileNamesReachNothing(t *testing.T) {
	r := newRig(t, `printf '%s\n' "$CI_BRANCH" "$CI_REPOSITORY"; ls -a`)
	ugly := `ugly/"><script>$(touch${IFS}pwned);'&|größe`
	sha := r.repo.commit("main", "one")
	r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", sha+":refs/heads/"+ugly)
	r.write("github-ci.yaml", fmt.Sprintf("repositories: [{name: acme/app, remote: '%s/git/acme/app.git', branches: ['**'], tags: ['**'], command: %s}]",
		r.hub.URL, quoted(`printf '%s\n' "$CI_BRANCH" "$CI_REPOSITORY"; ls -a`)))
	r.start()

	for _, ref := range hostileRefs {
		r.deliver(pushed{repository: "acme/app", ref: ref, after: sha, created: true})
		r.deliver(pushed{repository: "acme/app", ref: ref, before: sha, after: strings.Repeat("0", 40), deleted: true})
	}
	commits := []string{"--output=pwned", "HEAD", "main", sha[:39], sha + "\n", strings.ToUpper("a" + sha[1:]), "../../x", ""}
	for n, after := range commits {
		r.push(pushed{ref: fmt.Sprintf("refs/heads/commit%d", n), after: after, created: true})
	}
	repositories := []string{
		"../../x", "acme/..", "acme/../app", "acme/app/", "acme/app.git", "--upload-pack=x/y", "acme/app\n", "acme/app\x00", " acme/app", `acme/"app"`,
		"acme/größe", "/acme/app", "", "file:///etc/passwd", strings.Repeat("a", 5000),
	}
	for _, name := range repositories {
		r.deliver(pushed{repository: name, ref: "refs/heads/main", after: sha, created: true})
		r.deliver(pushed{repository: name, ref: "refs/heads/main", before: sha, after: strings.Repeat("0", 40), deleted: true})
	}
	// Malformed by the sender's own format, and still acknowledged.
	require.True(t, sender.Deliver(t.Context(), r.p.url+"/hooks/github", "push", []byte(`{"ref":"refs/heads/main","ref":"refs/heads/x"}`)).Delivered)

	r.push(pushed{ref: "refs/heads/" + ugly, after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	require.Contains(t, r.page(path+"/log"), ugly+"\nacme/app\n")
	for _, page := range []string{r.page(path), r.page("/")} {
		require.NotContains(t, page, "<script>$")
		require.Contains(t, page, "&lt;script&gt;")
	}
	r.until("all were judged", func() bool {
		metrics := r.page("/metrics")
		return !strings.Contains(metrics, `state="waiting"`) && !strings.Contains(metrics, `state="claimed"`) && !strings.Contains(metrics, `state="blocked"`)
	})
	require.Contains(t, r.page("/metrics"), `hookhouse_deliveries{state="done",type="github.push"} 1`+"\n", "the ugly one, and no other")
	require.Equal(t, 1, r.areas(), "one work area, of the one build")
	states, _ := r.hub.of(sha)
	require.Contains(t, [][]string{{"pending", "success"}, {"success"}}, states)
	entries, err := os.ReadDir(r.dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "the configuration and the data")
	found, err := filepath.Glob(filepath.Join(r.dir, "data", "*"))
	require.NoError(t, err)
	for _, name := range found {
		require.Contains(t, []string{"github-ci.db", "github-ci.db-shm", "github-ci.db-wal", "lock", "logs", "work"}, filepath.Base(name))
	}
	r.hub.noFaults(t)
}

func TestHooksAndSubmodulesOfARepositoryAreLeftAlone(t *testing.T) {
	r := newRig(t, "ls -a; cat sub/file.txt 2>&1 || true")
	r.write("hook", "#!/bin/sh\ntouch "+filepath.Join(r.dir, "pwned")+"\n")
	require.NoError(t, os.Chmod(filepath.Join(r.dir, "hook"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(r.repo.clone, ".gitmodules"), []byte("[submodule \"sub\"]\n\tpath = sub\n\turl = ext::"+filepath.Join(r.dir, "hook")+"\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(r.repo.clone, ".gitattributes"), []byte("* filter=evil\n"), 0o644))
	require.NoError(t, os.Symlink("/", filepath.Join(r.repo.clone, "root")))
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	require.Contains(t, r.page(path+"/log"), "sub/file.txt: No such file", "there is no submodule")
	require.NoFileExists(t, filepath.Join(r.dir, "pwned"))
}

// meddle has a build write whatever could change how the next one is fetched:
// settings in every file that git would look for, a hook, and a repository of
// its own to be taken for the real one.
const meddle = `g=$(dirname $(cat .git/objects/info/alternates))
set +e
git config --file $g/config http.proxy $SPY
git config --file $g/config extensions.worktreeConfig true
git config --file $g/config.worktree http.proxy $SPY
mkdir $g/hooks && ln -s $RUNS.hook $g/hooks/reference-transaction
cp -r $g $g.mine && mv $g.mine $g/mine && git config --file $g/mine/config core.bare true && echo mine >$g/commondir
true
`

// spyOn returns meddle with a proxy that nothing must come to.
func spyOn(t *testing.T) string {
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s came to a proxy of the build's choice, with %q", r.Method, r.URL, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(spy.Close)
	return strings.ReplaceAll(meddle, "$SPY", spy.URL)
}

// buildTwice builds two pushes of a branch, one after the other.
func (r *rig) buildTwice() {
	r.Helper()
	r.write("runs.hook", "#!/bin/sh\ntouch "+r.runs+".pwned\n")
	require.NoError(r, os.Chmod(filepath.Join(r.dir, "runs.hook"), 0o755))
	one := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: one, created: true})
	r.untilStatus(one, "success")
	two := r.repo.commit("main", "two")
	r.push(pushed{before: one, after: two})
	r.untilStatus(two, "success")
	require.NoFileExists(r, r.runs+".pwned")
	r.hub.noFaults(r.T)
}

func TestABuildDoesNotChangeHowTheNextIsFetched(t *testing.T) {
	r := newRig(t, spyOn(t)+"git --git-dir=$g config --get http.proxy | sed 's/:[0-9]*$//' >>$RUNS")
	r.buildTwice()
	require.Equal(t, "http://127.0.0.1\nhttp://127.0.0.1\n", r.read(r.runs), "what it wrote is what git goes by, until the next fetch")
}
