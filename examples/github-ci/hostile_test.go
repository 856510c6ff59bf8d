package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/examples/github-ci/git"
	"github.com/hookhouse/hookhouse/webhook"
)

// hostileRefs are refs that git rejects or GitHub never sends.
var hostileRefs = []string{
	"--upload-pack=touch pwned", "-x", "refs/heads/-x", "refs/heads/--upload-pack=touch${IFS}pwned", "refs/tags/-v1",
	"../../x", "refs/heads/../../x", "refs/heads/..", "refs/heads/a/../../b", "/etc/passwd", "refs/heads//etc", "refs/heads/x/",
	"refs/heads/a\nb", "refs/heads/a\x00b", "refs/heads/a b", "refs/heads/a\tb", "refs/heads/a\x7fb", "refs/heads/a~1", "refs/heads/a^{}", "refs/heads/a:b",
	"refs/heads/*", "refs/heads/a?", "refs/heads/[a]", `refs/heads/a\b`, "refs/heads/.git", "refs/heads/a/.b", "refs/heads/a.lock", "refs/heads/a.lock/b",
	"refs/heads/a.", "refs/heads/@{u}", "refs/heads/@", "refs/heads/", "refs/remotes/origin/main", "HEAD", "",
	"refs/heads/" + strings.Repeat("a", 2000), "ext::sh -c touch% pwned",
}

func TestCheckRef(t *testing.T) {
	t.Parallel()
	ugly := []string{"main", "a/b", "a'b", `a"b`, "a$(id)b", "a;b", "a&b|c", "<script>", "größe", "日本", "a-", "a@b", "a.b", "#1", "%2e%2e", "!x", "a{b}"}
	for _, name := range ugly {
		if err := git.CheckRef("refs/heads/" + name); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command("git", "check-ref-format", "refs/heads/"+name).Run(); err != nil {
			t.Fatalf("%v: %v", name, err)
		}
	}
	for _, ref := range hostileRefs {
		if err := git.CheckRef(ref); err == nil {
			t.Fatalf("%q: git.CheckRef(ref) is nil, want an error", ref)
		}
	}
	// Git accepts every ref that CheckRef accepts.
	for c := range rune(0x180) {
		for _, name := range []string{string(c), "a" + string(c), string(c) + "a", "a" + string(c) + "a", "a/" + string(c) + "a"} {
			if ref := "refs/heads/" + name; c != 0 && c < 0x80 && git.CheckRef(ref) == nil {
				if err := exec.Command("git", "check-ref-format", ref).Run(); err != nil {
					t.Fatalf("%q: %v", ref, err)
				}
			}
		}
	}
}

func TestHostileNames(t *testing.T) {
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
	// A malformed payload is acknowledged too.
	if !sender.Deliver(t.Context(), r.p.url+"/hooks/github", "push", []byte(`{"ref":"refs/heads/main","ref":"refs/heads/x"}`)).Delivered {
		t.Fatal("got is false, want true")
	}

	r.push(pushed{ref: "refs/heads/" + ugly, after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, ugly+"\nacme/app\n") {
		t.Fatalf(`r.page(path+"/log") = %q, want it to contain %q`, got, ugly+"\nacme/app\n")
	}
	for _, page := range []string{r.page(path), r.page("/")} {
		if strings.Contains(page, "<script>$") {
			t.Fatalf("page = %q, want it not to contain \"<script>$\"", page)
		}
		if !strings.Contains(page, "&lt;script&gt;") {
			t.Fatalf("page = %q, want it to contain \"&lt;script&gt;\"", page)
		}
	}
	r.until("all deliveries are finished", func() bool {
		states := r.stats().Types["github.push"]
		return states[webhook.Waiting]+states[webhook.Claimed]+states[webhook.Blocked] == 0
	})
	if got := r.stats().Types["github.push"][webhook.Done]; got != 1 {
		t.Fatalf("%d pushes are done, want only the valid but unusual ref", got)
	}
	if got := r.areas(); got != 0 {
		t.Fatalf("r.areas() = %d, want 0", got)
	}
	if stores, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*")); err != nil || len(stores) != 1 {
		t.Fatalf("only one repository is fetched: %q, %v", stores, err)
	}
	states, _ := r.hub.statusesOf(sha)
	if diff := cmp.Diff([]string{"pending", "success"}, states); diff != "" && !slices.Equal(states, []string{"success"}) {
		t.Fatalf("statuses (-want +got), or success alone:\n%s", diff)
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Fatalf("only the configuration and the data folder: len(entries) = %d, want 2: %v", len(entries), entries)
	}
	found, err := filepath.Glob(filepath.Join(r.dir, "data", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		if got := ([]string{"github-ci.db", "github-ci.db-shm", "github-ci.db-wal", "git", "lock", "logs", "work"}); !slices.Contains(got, filepath.Base(name)) {
			t.Fatalf(`[]string{"github-ci.db", "github-ci.db-shm", "github-ci.db-wal", "git", "lock", "logs", "work"} = %v, want it to contain %q`, got, filepath.Base(name))
		}
	}
	r.hub.noFaults(t)
}

func TestHooksAndSubmodulesAreIgnored(t *testing.T) {
	r := newRig(t, "ls -a; cat sub/file.txt 2>&1 || true")
	r.write("hook", "#!/bin/sh\ntouch "+filepath.Join(r.dir, "pwned")+"\n")
	if err := os.Chmod(filepath.Join(r.dir, "hook"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.repo.clone, ".gitmodules"), []byte("[submodule \"sub\"]\n\tpath = sub\n\turl = ext::"+filepath.Join(r.dir, "hook")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.repo.clone, ".gitattributes"), []byte("* filter=evil\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/", filepath.Join(r.repo.clone, "root")); err != nil {
		t.Fatal(err)
	}
	sha := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: sha, created: true})
	_, path := r.untilStatus(sha, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "sub/file.txt: No such file") {
		t.Fatalf(`the submodule is not fetched: r.page(path+"/log") = %q, want it to contain %q`, got, "sub/file.txt: No such file")
	}
	requireNoFile(t, filepath.Join(r.dir, "pwned"))
}

// tamperScript is a script that writes everything that could change how the next build
// is fetched: settings in every file that git reads, a hook, and a repository
// that replaces the real one.
const tamperScript = `set +e
g=$(cd ../../../git 2>/dev/null && echo $PWD/*.git || echo /nowhere)
git config --file $g/config http.proxy $SPY
git config --file $g/config extensions.worktreeConfig true
git config --file $g/config.worktree http.proxy $SPY
mkdir $g/hooks && ln -s $RUNS.hook $g/hooks/reference-transaction
cp -r $g $g.mine && mv $g.mine $g/mine && git config --file $g/mine/config core.bare true && echo mine >$g/commondir
true
`

// tamperWithProxy returns tamperScript with a proxy that fails the test if it gets a request.
func tamperWithProxy(t *testing.T) string {
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the build's proxy got %s %s with Authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(spy.Close)
	return strings.ReplaceAll(tamperScript, "$SPY", spy.URL)
}

// buildTwice builds two pushes to a branch, one after the other.
func (r *rig) buildTwice() {
	r.Helper()
	r.write("runs.hook", "#!/bin/sh\ntouch "+r.runs+".pwned\n")
	if err := os.Chmod(filepath.Join(r.dir, "runs.hook"), 0o755); err != nil {
		r.Fatal(err)
	}
	one := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: one, created: true})
	r.untilStatus(one, "success")
	two := r.repo.commit("main", "two")
	r.push(pushed{before: one, after: two})
	r.untilStatus(two, "success")
	requireNoFile(r, r.runs+".pwned")
	r.hub.noFaults(r.T)
}

func TestBuildCannotChangeNextFetch(t *testing.T) {
	r := newRig(t, tamperWithProxy(t)+"git --git-dir=$g config --get http.proxy | sed 's/:[0-9]*$//' >>$RUNS")
	r.buildTwice()
	if got := r.read(r.runs); got != "http://127.0.0.1\nhttp://127.0.0.1\n" {
		t.Fatalf("git uses what the build wrote until the next fetch: r.read(r.runs) = %q, want %q", got, "http://127.0.0.1\nhttp://127.0.0.1\n")
	}
}

// requireNoFile stops the test if the file exists.
func requireNoFile(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Lstat(%s) = %v, want %v", path, err, fs.ErrNotExist)
	}
}
