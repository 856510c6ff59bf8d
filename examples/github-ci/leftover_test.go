package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What a fetch has left when it was stopped, such as on a full disk, is deleted with its
// build: otherwise no build begins again before there is space, and so nothing deletes it.
func TestStoppedFetchLeavesNoPack(t *testing.T) {
	r := newRig(t, "true")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(r.dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.write("bin/git", `#!/bin/sh
case "$*" in
*' fetch '*)
	for option; do case $option in --git-dir=*) touch ${option#*=}/objects/pack/tmp_pack_x; esac; done
	kill -9 $$
esac
exec `+git+` "$@"
`)
	if err := os.Chmod(filepath.Join(r.dir, "bin", "git"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.env = []string{"PATH=" + filepath.Join(r.dir, "bin") + ":" + os.Getenv("PATH")}
	r.repo.commit("main", "one")
	gone := strings.Repeat("1", 40) // so that it is not tried again
	r.start()
	r.push(pushed{after: gone, created: true})
	r.untilStatus(gone, "error")
	if left, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*", "objects", "pack", "tmp_*")); err != nil || len(left) > 0 {
		t.Errorf("the stopped fetch has left %q, %v", left, err)
	}
}

// A git gc that is killed while it writes a pack or the list of refs leaves files that git
// itself never deletes. With the second, git cannot delete a ref.
func TestKilledCollectionDoesNotStopDeletions(t *testing.T) {
	r := newRig(t, "true")
	one := r.repo.commit("release/a", "one")
	r.start()
	r.push(pushed{ref: "refs/heads/release/a", after: one, created: true})
	r.untilStatus(one, "success")
	stores, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*.git"))
	if err != nil || len(stores) != 1 {
		t.Fatalf("%q, %v, want one repository", stores, err)
	}
	cmd := exec.Command("git", "--git-dir="+stores[0], "pack-refs", "--all")
	cmd.SysProcAttr = r.attr
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pack, refs := filepath.Join(stores[0], "objects", "pack", ".tmp-1-pack-x.pack"), filepath.Join(stores[0], "packed-refs.new")
	for _, name := range []string{pack, refs} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.push(pushed{ref: "refs/heads/release/a", before: one, after: strings.Repeat("0", 40), deleted: true})
	r.until("the ref is deleted", func() bool {
		packed := r.read(filepath.Join(stores[0], "packed-refs"))
		return packed != "" && !strings.Contains(packed, "refs/builds/") || strings.Contains(r.p.logText(), "update-ref")
	})
	for _, name := range []string{pack, refs} {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", filepath.Base(name), err)
		}
	}
	if got := r.p.logText(); strings.Contains(got, "update-ref") {
		t.Errorf("the log is %s", got)
	}
}
