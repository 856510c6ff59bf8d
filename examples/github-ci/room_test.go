package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Git writes a repository anew before it deletes its garbage. Without room for that, the
// repository is removed, and the next build fetches it.
func TestRepositoryWithGarbageIsRemovedWithoutRoom(t *testing.T) {
	r := newRig(t, "true", "  - {name: acme/other, remote: '$HUB/git/acme/other.git', branches: ['**'], command: 'true'}\n")
	r.write("github-ci.yaml", strings.ReplaceAll(r.read(r.dir+"/github-ci.yaml"), "$HUB", r.hub.URL))
	other := r.hub.repository(t, "acme/other")
	kept, one := other.commit("main", "kept"), r.repo.commit("main", "one")
	r.start()
	r.push(pushed{repository: "acme/other", after: kept, created: true})
	r.push(pushed{after: one, created: true})
	r.untilStatus(kept, "success")
	r.untilStatus(one, "success")
	r.push(pushed{before: one, after: strings.Repeat("0", 40), deleted: true})
	r.until("the deletion is handled", func() bool { return strings.Contains(r.p.logText(), `msg="ref deleted"`) })
	r.signalAndWait(syscall.SIGTERM)
	repositories := func() []string {
		all, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*.git"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got := repositories(); len(got) != 2 {
		t.Fatalf("the repositories are %q", got)
	}
	r.args = []string{"-disk-reserve", "1000000T"}
	r.start() // the janitor runs at the start
	r.until("the repository with garbage is removed", func() bool { return len(repositories()) == 1 })
	if got := r.p.logText(); !strings.Contains(got, "repository removed: the disk has no room to collect its garbage") {
		t.Errorf("the log is %s", got)
	}
	if left := repositories(); len(left) != 1 || r.git("--git-dir="+left[0], "cat-file", "-t", kept) != "commit" {
		t.Errorf("left: %q, want the repository without garbage", left)
	}
	r.signalAndWait(syscall.SIGTERM)
	r.args = nil
	r.start()
	two := r.repo.commit("main", "two")
	r.push(pushed{after: two, created: true})
	r.untilStatus(two, "success")
	r.hub.noFaults(t)
}

// git runs git and returns its output without the newline.
func (r *rig) git(args ...string) string {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), "git", append([]string{"-c", "safe.directory=*"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.Fatalf("git %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// The whole of a repository may take longer to fetch than what is new in it.
func TestFirstFetchHasALimitOfItsOwn(t *testing.T) {
	r := newRig(t, "true")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(r.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	// Fetches wait as files say.
	r.write("bin/git", `#!/bin/sh
case "$*" in
*' fetch '*)
	until [ -e `+r.dir+`/first ]; do sleep 0.1; done
	if [ -e `+r.dir+`/second ]; then sleep 7; fi
esac
exec `+git+` "$@"
`)
	if err := os.Chmod(filepath.Join(bin, "git"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	r.args = []string{"-first-fetch-timeout", "5s"}
	one := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: one, created: true})
	_, path := r.untilStatus(one, "pending")
	r.until("the first fetch is ended", func() bool { return strings.Contains(r.page(path+"/log"), "git took longer than 5s") })
	r.write("first", "")
	r.untilStatus(one, "success")
	r.write("second", "")
	two := r.repo.commit("main", "two")
	r.push(pushed{before: one, after: two})
	_, path = r.untilStatus(two, "success")
	if log := r.page(path + "/log"); strings.Contains(log, "took longer") {
		t.Errorf("the second fetch has the limit of the first:\n%s", log)
	}
}
