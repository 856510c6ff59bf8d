package main

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// size returns the number of bytes of the files below a folder of the data folder. A file
// with several names counts once.
func (r *rig) size(folder string) (total int64) {
	r.Helper()
	seen := make(map[uint64]bool)
	err := filepath.WalkDir(filepath.Join(r.dir, "data", folder), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // removed meanwhile, or a folder
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		if inode := info.Sys().(*syscall.Stat_t).Ino; !seen[inode] {
			seen[inode] = true
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
	return total
}

// commitData commits a file of random bytes, which git cannot compress.
func (r *repository) commitData(branch, name string, size int) string {
	r.t.Helper()
	data := make([]byte, size)
	_, _ = rand.Read(data)
	if err := os.WriteFile(filepath.Join(r.clone, name), data, 0o644); err != nil {
		r.t.Fatal(err)
	}
	return r.commit(branch, name)
}

func TestBranchesAndTagsShareOneRepository(t *testing.T) {
	const size = 1 << 20
	r := newRig(t, "rm data; git log --oneline >/dev/null; echo run >>$RUNS"+waitForGate)
	sha := r.repo.commitData("main", "data", size)
	r.start()
	refs := []string{"refs/heads/main", "refs/heads/release/a", "refs/heads/release/b", "refs/tags/v1"}
	for _, ref := range refs {
		r.repo.git("-C", r.repo.clone, "push", "--quiet", "origin", sha+":"+ref)
		r.push(pushed{ref: ref, after: sha, created: true})
	}
	r.until("two builds run at the same time", func() bool { return r.read(r.runs) == "run\nrun\n" })
	if got := r.size(""); got < size || got > size*3/2 {
		t.Errorf("two builds of one repository of %d bytes use %d bytes", size, got)
	}
	r.openGate()
	r.until("all are built", func() bool { return strings.Count(r.page("/"), `<td class="success"`) == len(refs) })
	if got := r.size("git"); got < size || got > size*3/2 {
		t.Errorf("a repository of %d bytes is fetched as %d bytes", size, got)
	}
	if got := r.size("work"); got != 0 {
		t.Errorf("the work areas have %d bytes, want 0", got)
	}

	// What only a deleted branch and a lost commit needed is deleted.
	own := r.repo.commitData("release/a", "own", size)
	r.push(pushed{ref: "refs/heads/release/a", before: sha, after: own})
	r.untilStatus(own, "success")
	r.repo.git("-C", r.repo.clone, "checkout", "--quiet", "--force", sha)
	lost := r.repo.commitData("main", "lost", size)
	r.push(pushed{before: sha, after: lost})
	r.untilStatus(lost, "success")
	r.repo.git("-C", r.repo.clone, "checkout", "--quiet", "--force", sha)
	kept := r.repo.commit("main", "kept")
	r.push(pushed{before: lost, after: kept, forced: true})
	r.untilStatus(kept, "success")
	if got := r.size("git"); got < 3*size {
		t.Errorf("before the collection the repository has %d bytes", got)
	}
	r.push(pushed{ref: "refs/heads/release/a", before: own, after: strings.Repeat("0", 40), deleted: true})
	r.until("the deletion is handled", func() bool { return strings.Contains(r.p.logText(), `msg="ref deleted"`) })
	r.signalAndWait(syscall.SIGTERM)
	r.start() // the janitor runs at the start
	r.until("what nothing needs is deleted", func() bool { got := r.size("git"); return got > size && got < size*3/2 })

	// The repository is intact after that, and an unused one is removed.
	next := r.repo.commit("main", "next")
	r.push(pushed{before: kept, after: next})
	r.untilStatus(next, "success")
	r.signalAndWait(syscall.SIGTERM)
	r.args = []string{"-retention", "1ms"}
	r.start()
	r.until("the unused repository is removed", func() bool { return r.size("git") == 0 })
	r.hub.noFaults(t)
}

func TestDamagedRepositoryIsFetchedAgain(t *testing.T) {
	r := newRig(t, "echo run >>$RUNS")
	one := r.repo.commit("main", "one")
	r.start()
	r.push(pushed{after: one, created: true})
	r.untilStatus(one, "success")
	refs, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*", "refs", "builds", "*"))
	if err != nil || len(refs) != 1 {
		t.Fatalf("%q, %v, want one ref", refs, err)
	}
	// As after a power loss. Another branch shows that it is not repaired by chance.
	if err := os.WriteFile(refs[0], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*", "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("%q, %v, want one pack", packs, err)
	}
	if err := os.Remove(packs[0]); err != nil {
		t.Fatal(err)
	}
	two := r.repo.commit("release/two", "two")
	r.push(pushed{ref: "refs/heads/release/two", after: two, created: true})
	_, path := r.untilStatus(two, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "the fetched repository is damaged and is removed") {
		t.Errorf("the log is %q", got)
	}
}

// A damaged pack has everything that a fetch asks for, so only the checkout fails.
func TestDamagedPackIsFetchedAgain(t *testing.T) {
	const size = 1 << 16
	r := newRig(t, "echo run >>$RUNS")
	one := r.repo.commitData("main", "data", size)
	r.start()
	r.push(pushed{after: one, created: true})
	r.untilStatus(one, "success")
	packs, err := filepath.Glob(filepath.Join(r.dir, "data", "git", "*", "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("%q, %v, want one pack", packs, err)
	}
	pack, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	copy(pack[size/2:], make([]byte, 100))
	if err := os.Chmod(packs[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packs[0], pack, 0o600); err != nil {
		t.Fatal(err)
	}
	two := r.repo.commit("main", "two")
	r.push(pushed{before: one, after: two})
	_, path := r.untilStatus(two, "success")
	if got := r.page(path + "/log"); !strings.Contains(got, "the fetched repository is damaged and is removed") {
		t.Errorf("the log is %q", got)
	}
}
