package github_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
			require.Equal(t, c.branch, branch)
			require.Equal(t, c.branch != "", isBranch)
			require.Equal(t, c.tag, tag)
			require.Equal(t, c.tag != "", isTag)
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
			require.Equal(t, c.created, c.push.IsCreated())
			require.Equal(t, c.deleted, c.push.IsDeleted())
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
	require.Equal(t, []string{"a", "b", "back"}, added)
	require.Equal(t, []string{"new", "old"}, modified)
	require.Equal(t, []string{"gone"}, removed)
}

func TestChangedFilesWithoutCommits(t *testing.T) {
	added, modified, removed := github.Push{}.ChangedFiles()
	require.Empty(t, added)
	require.Empty(t, modified)
	require.Empty(t, removed)
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
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.complete, c.push.CommitsComplete()) })
	}
}

func TestOwnerLogin(t *testing.T) {
	var old, now github.Repository
	require.NoError(t, json.Unmarshal([]byte(`{"owner":{"name":"tidewater","email":null}}`), &old))
	require.NoError(t, json.Unmarshal([]byte(`{"owner":{"name":"Tide","login":"tidewater"}}`), &now))
	require.Equal(t, "tidewater", old.OwnerLogin())
	require.Equal(t, "tidewater", now.OwnerLogin())
}

func TestTimesOfAPush(t *testing.T) {
	e := decodeOwn[github.Push](t, "push.branch")
	require.EqualValues(t, 1700000000, e.Repository.CreatedAt.Unix())
	require.EqualValues(t, 1709208000, e.Repository.UpdatedAt.Unix())
	require.Equal(t, "2024-02-29T17:30:00+05:30", e.Commits[0].Timestamp.Text())
	require.EqualValues(t, 1709208000, e.Commits[0].Timestamp.Unix())
}
