package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A PullRequest is the payload of "pull_request". Of its many actions CI needs
// opened, synchronize, reopened, ready_for_review and closed.
type PullRequest struct {
	Action      string          `json:"action"`
	Number      int64           `json:"number"`
	Before      string          `json:"before,omitempty"` // synchronize: the head before
	After       string          `json:"after,omitempty"`  // synchronize: the head now
	PullRequest PullRequestInfo `json:"pull_request"`
	Label       *Label          `json:"label,omitempty"`   // labeled, unlabeled
	Reason      string          `json:"reason,omitempty"`  // dequeued, auto_merge_disabled
	Changes     json.RawMessage `json:"changes,omitempty"` // edited: what was there before
	Origin
}

// EventType returns "github.pull_request".
func (PullRequest) EventType() string { return "github.pull_request" }

// Check implements [webhook.Checker].
func (PullRequest) Check(document []byte) error { return check("pull_request", document) }

// IsMerge reports whether the pull request was merged just now: there is no
// action of that name, it is a closed one that is merged.
func (p PullRequest) IsMerge() bool {
	return p.Action == "closed" && p.PullRequest.Merged != nil && *p.PullRequest.Merged
}

// FromFork reports whether the code comes from outside the repository, so that
// it must not be run with the repository's secrets. It is true where the
// fork is gone or cannot be told.
func (p PullRequest) FromFork() bool {
	head, base := p.PullRequest.Head.Repo, p.PullRequest.Base.Repo
	return head == nil || base == nil || head.ID == 0 || head.ID != base.ID
}

// A PullRequestInfo is the pull request itself.
type PullRequestInfo struct {
	ID      int64             `json:"id"`
	NodeID  string            `json:"node_id"`
	Number  int64             `json:"number"`
	State   string            `json:"state"` // "open" or "closed"
	Title   string            `json:"title"`
	Body    *string           `json:"body"`
	User    *User             `json:"user"`
	Draft   bool              `json:"draft"`
	Locked  bool              `json:"locked"`
	Head    PullRequestBranch `json:"head"`
	Base    PullRequestBranch `json:"base"`
	Labels  []Label           `json:"labels,omitzero"`
	HTMLURL string            `json:"html_url"`
	URL     string            `json:"url"`
	DiffURL string            `json:"diff_url"`

	Merged *bool `json:"merged"`
	// MergeCommitSHA is a test merge while the pull request is open, the merge
	// itself afterwards, nil while GitHub works on it.
	MergeCommitSHA *string `json:"merge_commit_sha"`
	Mergeable      *bool   `json:"mergeable"` // nil while GitHub works on it
	MergeableState string  `json:"mergeable_state"`
	MergedBy       *User   `json:"merged_by"`

	Assignees          []User `json:"assignees,omitzero"`
	RequestedReviewers []User `json:"requested_reviewers,omitzero"`
	AuthorAssociation  string `json:"author_association"` // "OWNER", "MEMBER", "CONTRIBUTOR", "NONE" ...

	Commits      int64 `json:"commits"`
	Additions    int64 `json:"additions"`
	Deletions    int64 `json:"deletions"`
	ChangedFiles int64 `json:"changed_files"`

	CreatedAt wire.Time `json:"created_at,omitzero"`
	UpdatedAt wire.Time `json:"updated_at,omitzero"`
	ClosedAt  wire.Time `json:"closed_at,omitzero"` // null while open
	MergedAt  wire.Time `json:"merged_at,omitzero"` // null unless merged
}

// A PullRequestBranch is one end of a pull request.
type PullRequestBranch struct {
	Label string      `json:"label"` // "owner:branch"
	Ref   string      `json:"ref"`   // bare: "main"
	SHA   string      `json:"sha"`
	User  *User       `json:"user"`
	Repo  *Repository `json:"repo"` // nil where the fork is gone
}

// A Label is one of the repository's labels.
type Label struct {
	ID          int64   `json:"id"`
	NodeID      string  `json:"node_id"`
	URL         string  `json:"url"`
	Name        string  `json:"name"`
	Color       string  `json:"color"` // six hex digits
	Default     bool    `json:"default"`
	Description *string `json:"description"`
}

// A PullRequestLink is a pull request as a workflow run and a check run name it.
// The list is empty for one that comes from a fork.
type PullRequestLink struct {
	ID     int64          `json:"id"`
	Number int64          `json:"number"`
	URL    string         `json:"url"`
	Head   PullRequestEnd `json:"head"`
	Base   PullRequestEnd `json:"base"`
}

// A PullRequestEnd is one end of a [PullRequestLink].
type PullRequestEnd struct {
	Ref  string         `json:"ref"` // bare
	SHA  string         `json:"sha"`
	Repo RepositoryLink `json:"repo"`
}

// A RepositoryLink is the shortest form of a repository.
type RepositoryLink struct {
	ID   int64  `json:"id"`
	Name string `json:"name"` // without its owner
	URL  string `json:"url"`
}
