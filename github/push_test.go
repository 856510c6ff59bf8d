package github_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
)

func TestBranchAndTag(t *testing.T) {
	for _, c := range []struct{ name, ref, branch, tag string }{
		{"a branch", "refs/heads/main", "main", ""},
		{"a branch with slashes", "refs/heads/feat/slack-water", "feat/slack-water", ""},
		{"a tag", "refs/tags/v1.2.0", "", "v1.2.0"},
		{"a branch named like a tag's ref", "refs/heads/refs/tags/v1", "refs/tags/v1", ""},
		{"a note", "refs/notes/commits", "", ""},
		{"a bare name", "main", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := github.Push{Ref: c.ref}
			branch, isBranch := p.Branch()
			tag, isTag := p.Tag()
			if branch != c.branch {
				t.Fatalf("branch = %q, want %q", branch, c.branch)
			}
			if isBranch != (c.branch != "") {
				t.Fatalf("isBranch = %v, want %v", isBranch, c.branch != "")
			}
			if tag != c.tag {
				t.Fatalf("tag = %q, want %q", tag, c.tag)
			}
			if isTag != (c.tag != "") {
				t.Fatalf("isTag = %v, want %v", isTag, c.tag != "")
			}
		})
	}
}

func TestCreatedAndDeleted(t *testing.T) {
	const some = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
	for _, c := range []struct {
		name             string
		push             github.Push
		created, deleted bool
	}{
		{"an ordinary push", github.Push{Before: some, After: some}, false, false},
		{"the flag Created", github.Push{Created: true, Before: some, After: some}, true, false},
		{"ZeroSHA in Before", github.Push{Before: github.ZeroSHA, After: some}, true, false},
		{"ZeroSHA in After", github.Push{Before: some, After: github.ZeroSHA}, false, true},
		{"the flag Deleted", github.Push{Deleted: true, Before: some, After: some}, false, true},
		{"64 zeros", github.Push{Before: strings.Repeat("0", 64), After: some}, true, false},
		{"an empty push", github.Push{}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.push.IsCreated(); got != c.created {
				t.Fatalf("c.push.IsCreated() = %v, want %v", got, c.created)
			}
			if got := c.push.IsDeleted(); got != c.deleted {
				t.Fatalf("c.push.IsDeleted() = %v, want %v", got, c.deleted)
			}
		})
	}
}

func TestChangedFilesFollowTheLastCommit(t *testing.T) {
	p := github.Push{Commits: []github.Commit{
		{Added: []string{"new", "gone", "b"}, Modified: []string{"old"}, Removed: []string{"back"}},
		{Added: []string{"back", "a"}, Modified: []string{"new"}, Removed: []string{"gone"}},
		{Modified: []string{"old"}},
	}}
	added, modified, removed := p.ChangedFiles()
	if diff := cmp.Diff([]string{"a", "b", "back"}, added); diff != "" {
		t.Fatalf("added (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"new", "old"}, modified); diff != "" {
		t.Fatalf("modified (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"gone"}, removed); diff != "" {
		t.Fatalf("removed (-want +got):\n%s", diff)
	}
}

func TestChangedFilesWithoutCommits(t *testing.T) {
	added, modified, removed := github.Push{}.ChangedFiles()
	if len(added) != 0 {
		t.Fatalf("added = %v, want empty", added)
	}
	if len(modified) != 0 {
		t.Fatalf("modified = %v, want empty", modified)
	}
	if len(removed) != 0 {
		t.Fatalf("removed = %v, want empty", removed)
	}
}

func TestCommitsComplete(t *testing.T) {
	commits := func(n int) []github.Commit {
		list := make([]github.Commit, n)
		for i := range list {
			list[i] = github.Commit{Added: []string{}, Removed: []string{}, Modified: []string{"a"}}
		}
		return list
	}
	many := commits(1)
	for i := range 2999 {
		many[0].Added = append(many[0].Added, fmt.Sprint(i))
	}
	unlisted := commits(2)
	unlisted[1].Modified = nil
	for _, c := range []struct {
		name     string
		push     github.Push
		complete bool
	}{
		{"one commit", github.Push{Commits: commits(1)}, true},
		{"the maximum of old servers", github.Push{Commits: commits(20)}, false},
		{"one more than that", github.Push{Commits: commits(21)}, true},
		{"the maximum", github.Push{Commits: commits(2048)}, false},
		{"none", github.Push{Commits: []github.Commit{}}, false},
		{"forced", github.Push{Forced: true, Commits: commits(1)}, false},
		{"3000 files in a commit", github.Push{Commits: many}, false},
		{"files not sent", github.Push{Commits: unlisted}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.push.CommitsComplete(); got != c.complete {
				t.Fatalf("c.push.CommitsComplete() = %v, want %v", got, c.complete)
			}
		})
	}
}

func TestOwnerLogin(t *testing.T) {
	var old, now github.Repository
	if err := json.Unmarshal([]byte(`{"owner":{"name":"tidewater","email":null}}`), &old); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"owner":{"name":"Tide","login":"tidewater"}}`), &now); err != nil {
		t.Fatal(err)
	}
	if got := old.OwnerLogin(); got != "tidewater" {
		t.Fatalf("old.OwnerLogin() = %q, want \"tidewater\"", got)
	}
	if got := now.OwnerLogin(); got != "tidewater" {
		t.Fatalf("now.OwnerLogin() = %q, want \"tidewater\"", got)
	}
}

func TestTimesOfAPush(t *testing.T) {
	e := decodeOwn[github.Push](t, "push.branch")
	if got := e.Repository.CreatedAt.Unix(); got != 1700000000 {
		t.Fatalf("e.Repository.CreatedAt.Unix() = %d, want 1700000000", got)
	}
	if got := e.Repository.UpdatedAt.Unix(); got != 1709208000 {
		t.Fatalf("e.Repository.UpdatedAt.Unix() = %d, want 1709208000", got)
	}
	if got := e.Commits[0].Timestamp.Text(); got != "2024-02-29T17:30:00+05:30" {
		t.Fatalf("e.Commits[0].Timestamp.Text() = %q, want \"2024-02-29T17:30:00+05:30\"", got)
	}
	if got := e.Commits[0].Timestamp.Unix(); got != 1709208000 {
		t.Fatalf("e.Commits[0].Timestamp.Unix() = %d, want 1709208000", got)
	}
}
