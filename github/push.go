package github

import (
	"strings"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// ZeroSHA stands for no commit: [Push.Before] of a ref that is new, and
// [Push.After] of one that is gone.
const ZeroSHA = "0000000000000000000000000000000000000000"

const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// A Push is the payload of "push": commits or a tag were pushed, or a ref was
// deleted. Every field that GitHub documents is kept.
//
// It is not sent for the tags of a push of more than three, nor for a push of
// more than 5,000 branches. Deliveries of one ref are in order of arrival, which
// GitHub does not promise to be the order of the pushes: compare Before.
type Push struct {
	// Ref is whole: "refs/heads/<branch>" or "refs/tags/<tag>". A branch may have
	// slashes in its name; use Branch and Tag.
	Ref    string `json:"ref"`
	Before string `json:"before"` // ZeroSHA where the ref is new
	After  string `json:"after"`  // ZeroSHA where it was deleted; of an annotated tag the tag object

	Created bool    `json:"created"`
	Deleted bool    `json:"deleted"`
	Forced  bool    `json:"forced"`
	BaseRef *string `json:"base_ref"` // the branch that a new tag or branch was made from, as a whole ref
	Compare string  `json:"compare"`  // a page: /compare/a...b, /commit/<sha>, /compare/<tag>

	// Commits are the oldest first, with those that are elsewhere already. The
	// list may be cut, and is empty for a new tag and a deleted ref; see
	// CommitsComplete.
	Commits    []Commit `json:"commits"`
	HeadCommit *Commit  `json:"head_commit"` // nil where the ref was deleted; set for a new tag

	Repository Repository `json:"repository"`
	Pusher     Pusher     `json:"pusher"`

	Sender       *User         `json:"sender,omitempty"` // the account that pushed; not always sent
	Organization *Organization `json:"organization,omitempty"`
	Enterprise   *Enterprise   `json:"enterprise,omitempty"`
	Installation *Installation `json:"installation,omitempty"`
}

// EventType returns "github.push".
func (Push) EventType() string { return "github.push" }

// Check implements [webhook.Checker].
func (Push) Check(document []byte) error { return check("push", document) }

// Branch returns the name of the branch that was pushed to; false for a tag.
func (p Push) Branch() (name string, ok bool) { return cutRef(p.Ref, branchPrefix) }

// Tag returns the name of the tag that was pushed; false for a branch.
func (p Push) Tag() (name string, ok bool) { return cutRef(p.Ref, tagPrefix) }

func cutRef(ref, prefix string) (string, bool) {
	if name, ok := strings.CutPrefix(ref, prefix); ok {
		return name, true
	}
	return "", false
}

// IsCreated reports whether the ref is new, by its flag or by Before.
func (p Push) IsCreated() bool { return p.Created || isZeroSHA(p.Before) }

// IsDeleted reports whether the ref is gone, by its flag or by After. There is
// nothing to build then.
func (p Push) IsDeleted() bool { return p.Deleted || isZeroSHA(p.After) }

// isZeroSHA takes the 64 zeros of a SHA-256 repository too.
func isZeroSHA(sha string) bool {
	return len(sha) >= len(ZeroSHA) && strings.Trim(sha, "0") == ""
}

// A Commit is one of a push.
type Commit struct {
	ID        string    `json:"id"`
	TreeID    string    `json:"tree_id"`
	Distinct  bool      `json:"distinct"` // false: pushed before, to another ref
	Message   string    `json:"message"`  // whole, with all its lines
	Timestamp wire.Time `json:"timestamp,omitzero"`
	URL       string    `json:"url"` // the page
	Author    Author    `json:"author"`
	Committer Author    `json:"committer"` // GitHub, noreply@github.com for what was done on the web

	// Added, Removed and Modified are paths, at most 3000 in one commit. Nil
	// means not sent.
	Added    []string `json:"added,omitzero"`
	Removed  []string `json:"removed,omitzero"`
	Modified []string `json:"modified,omitzero"`
}

// An Author is who wrote or committed it, as git knows it: text that anybody can
// set.
type Author struct {
	Name     string    `json:"name"`
	Email    *string   `json:"email"`
	Username string    `json:"username,omitempty"` // the account; empty where none fits
	Date     wire.Time `json:"date,omitzero"`
}

// A Pusher is who pushed, as git knows it; the account is [Push.Sender].
type Pusher struct {
	Name     string                `json:"name"`           // "none" from an old test button
	Email    wire.Optional[string] `json:"email,omitzero"` // null for bots
	Username string                `json:"username,omitempty"`
	Date     wire.Time             `json:"date,omitzero"`
}
