package github

import (
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// ZeroSHA means no commit. It is [Push.Before] of a new ref and [Push.After] of
// a deleted one.
const ZeroSHA = "0000000000000000000000000000000000000000"

const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// A Push is the payload of "push", which GitHub sends when commits or a tag are
// pushed, or a ref is deleted. It has every field that GitHub documents.
//
// GitHub sends no push event for tags if more than three are pushed at once,
// and none for a push of more than 5,000 branches. Deliveries of a ref are
// processed in the order of arrival. GitHub does not guarantee that this is the
// order of the pushes: compare Before.
type Push struct {
	// Ref is the full name, "refs/heads/<branch>" or "refs/tags/<tag>". The
	// name of a branch may contain slashes: use Branch and Tag.
	Ref    string `json:"ref"`
	Before string `json:"before"` // ZeroSHA if the ref is new
	After  string `json:"after"`  // ZeroSHA if the ref is deleted; the tag object of an annotated tag

	Created bool    `json:"created"`
	Deleted bool    `json:"deleted"`
	Forced  bool    `json:"forced"`
	BaseRef *string `json:"base_ref"` // the full name of the branch that a new tag or branch was created from
	Compare string  `json:"compare"`  // the URL of a page: /compare/a...b, /commit/<sha> or /compare/<tag>

	// Commits begins with the oldest, and includes commits that are on another
	// ref already. The list may be truncated, and is empty for a new tag and a
	// deleted ref; see CommitsComplete.
	Commits    []Commit `json:"commits"`
	HeadCommit *Commit  `json:"head_commit"` // nil if the ref is deleted; set for a new tag

	Repository Repository `json:"repository"`
	Pusher     Pusher     `json:"pusher"`

	Sender       *User         `json:"sender,omitempty"` // the account that pushed; may be absent
	Organization *Organization `json:"organization,omitempty"`
	Enterprise   *Enterprise   `json:"enterprise,omitempty"`
	Installation *Installation `json:"installation,omitempty"`
}

// EventType returns "github.push".
func (Push) EventType() string { return "github.push" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (Push) Check(document []byte) error { return check("push", document) }

// Branch returns the name of the pushed branch, and false if the ref is not a
// branch.
func (p Push) Branch() (name string, ok bool) { return cutRef(p.Ref, branchPrefix) }

// Tag returns the name of the pushed tag, and false if the ref is not a tag.
func (p Push) Tag() (name string, ok bool) { return cutRef(p.Ref, tagPrefix) }

func cutRef(ref, prefix string) (string, bool) {
	if name, ok := strings.CutPrefix(ref, prefix); ok {
		return name, true
	}
	return "", false
}

// IsCreated reports whether the ref is new, by its flag or by Before.
func (p Push) IsCreated() bool { return p.Created || isZeroSHA(p.Before) }

// IsDeleted reports whether the ref is deleted, by its flag or by After. Then
// there is nothing to build.
func (p Push) IsDeleted() bool { return p.Deleted || isZeroSHA(p.After) }

// isZeroSHA also accepts the 64 zeros of a SHA-256 repository.
func isZeroSHA(sha string) bool {
	return len(sha) >= len(ZeroSHA) && strings.Trim(sha, "0") == ""
}

// A Commit is a commit of a push.
type Commit struct {
	ID        string    `json:"id"`
	TreeID    string    `json:"tree_id"`
	Distinct  bool      `json:"distinct"` // false if it was pushed to another ref before
	Message   string    `json:"message"`  // all lines
	Timestamp wire.Time `json:"timestamp,omitzero"`
	URL       string    `json:"url"` // of the page
	Author    Author    `json:"author"`
	Committer Author    `json:"committer"` // GitHub, noreply@github.com for commits made on the web

	// Added, Removed and Modified are paths, up to 3000 together. They are nil
	// if they are not sent.
	Added    []string `json:"added,omitzero"`
	Removed  []string `json:"removed,omitzero"`
	Modified []string `json:"modified,omitzero"`
}

// An Author is the author or committer of a commit as recorded by git. Anybody
// can choose this text.
type Author struct {
	Name     string    `json:"name"`
	Email    *string   `json:"email"`
	Username string    `json:"username,omitempty"` // the account; empty if none matches
	Date     wire.Time `json:"date,omitzero"`
}

// A Pusher is the user who pushed, as known to git. The account is
// [Push.Sender].
type Pusher struct {
	Name     string                `json:"name"`           // "none" from an old test button
	Email    wire.Optional[string] `json:"email,omitzero"` // null for bots
	Username string                `json:"username,omitempty"`
	Date     wire.Time             `json:"date,omitzero"`
}

const (
	// maxCommits is the maximum number of commits in a push by GitHub's OpenAPI
	// description, and maxCommitsOld by the schemas of octokit/webhooks.
	maxCommits    = 2048
	maxCommitsOld = 20
	// maxFiles is the maximum number of paths in a commit.
	maxFiles = 3000
)

// CommitsComplete reports whether Commits describes the whole change. If it
// returns false, query GitHub's compare API. It returns false
//
//   - if the list may be truncated, which only its length indicates,
//   - if the paths of a commit may be truncated or are not sent,
//   - if the list is empty, as it is for a new tag and a deleted ref,
//   - after a forced push, which removes commits that no list contains.
func (p Push) CommitsComplete() bool {
	n := len(p.Commits)
	if p.Forced || n == 0 || n == maxCommitsOld || n >= maxCommits {
		return false
	}
	for i := range p.Commits {
		c := &p.Commits[i]
		if c.Added == nil || c.Removed == nil || c.Modified == nil {
			return false
		}
		if len(c.Added)+len(c.Removed)+len(c.Modified) >= maxFiles {
			return false
		}
	}
	return true
}

// ChangedFiles returns the paths in Commits as three sorted lists. Each path is
// in one list, according to the last commit that contains it. The lists are the
// whole change only if CommitsComplete returns true.
func (p Push) ChangedFiles() (added, modified, removed []string) {
	last := make(map[string]*[]string)
	for i := range p.Commits {
		c := &p.Commits[i]
		for _, path := range c.Added {
			last[path] = &added
		}
		for _, path := range c.Modified {
			last[path] = &modified
		}
		for _, path := range c.Removed {
			last[path] = &removed
		}
	}
	for path, list := range last {
		*list = append(*list, path)
	}
	slices.Sort(added)
	slices.Sort(modified)
	slices.Sort(removed)
	return added, modified, removed
}
