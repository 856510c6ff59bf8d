package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A PullRequest is the payload of "pull_request". Of its many actions,
// continuous integration needs opened, synchronize, reopened, ready_for_review
// and closed.
type PullRequest struct {
	Action      string          `json:"action"`
	Number      int64           `json:"number"`
	Before      string          `json:"before,omitempty"` // synchronize: the previous head
	After       string          `json:"after,omitempty"`  // synchronize: the current head
	PullRequest PullRequestInfo `json:"pull_request"`
	Label       *Label          `json:"label,omitempty"`   // labeled, unlabeled
	Reason      string          `json:"reason,omitempty"`  // dequeued, auto_merge_disabled
	Changes     json.RawMessage `json:"changes,omitempty"` // edited: the previous values
	Origin
}

// EventType returns "github.pull_request".
func (PullRequest) EventType() string { return "github.pull_request" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (PullRequest) Check(document []byte) error { return check("pull_request", document) }

// IsMerge reports whether this event is the merge of the pull request. GitHub
// has no action for it: it sends "closed" with Merged set.
func (p PullRequest) IsMerge() bool {
	return p.Action == "closed" && p.PullRequest.Merged != nil && *p.PullRequest.Merged
}

// FromFork reports whether the code comes from another repository, so that it
// must not run with this repository's secrets. It also returns true if the fork
// is deleted or unknown.
func (p PullRequest) FromFork() bool {
	head, base := p.PullRequest.Head.Repo, p.PullRequest.Base.Repo
	return head == nil || base == nil || head.ID == 0 || head.ID != base.ID
}

// A PullRequestInfo describes a pull request.
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
	// MergeCommitSHA is a test merge while the pull request is open, and the
	// actual merge afterwards. It is nil while GitHub computes it.
	MergeCommitSHA *string `json:"merge_commit_sha"`
	Mergeable      *bool   `json:"mergeable"` // nil while GitHub computes it
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
	ClosedAt  wire.Time `json:"closed_at,omitzero"` // null while the pull request is open
	MergedAt  wire.Time `json:"merged_at,omitzero"` // null unless it is merged
}

// A PullRequestBranch is the head or the base of a pull request.
type PullRequestBranch struct {
	Label string      `json:"label"` // "owner:branch"
	Ref   string      `json:"ref"`   // without refs/heads/: "main"
	SHA   string      `json:"sha"`
	User  *User       `json:"user"`
	Repo  *Repository `json:"repo"` // nil if the fork is deleted
}

// A Label is a label of the repository.
type Label struct {
	ID          int64   `json:"id"`
	NodeID      string  `json:"node_id"`
	URL         string  `json:"url"`
	Name        string  `json:"name"`
	Color       string  `json:"color"` // six hex digits
	Default     bool    `json:"default"`
	Description *string `json:"description"`
}

// A PullRequestLink is the short form of a pull request in a workflow run or a
// check run. The lists of them are empty for a pull request from a fork.
type PullRequestLink struct {
	ID     int64          `json:"id"`
	Number int64          `json:"number"`
	URL    string         `json:"url"`
	Head   PullRequestEnd `json:"head"`
	Base   PullRequestEnd `json:"base"`
}

// A PullRequestEnd is the head or the base of a [PullRequestLink].
type PullRequestEnd struct {
	Ref  string         `json:"ref"` // without refs/heads/
	SHA  string         `json:"sha"`
	Repo RepositoryLink `json:"repo"`
}

// A RepositoryLink is the short form of a repository.
type RepositoryLink struct {
	ID   int64  `json:"id"`
	Name string `json:"name"` // without its owner
	URL  string `json:"url"`
}
