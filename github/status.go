package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A Status is the payload of "status", which GitHub sends when the status of a
// commit changes. It has no action.
type Status struct {
	ID          int64        `json:"id"`
	SHA         string       `json:"sha"`
	Name        string       `json:"name"`    // the full name of the repository
	Context     string       `json:"context"` // the name of the check, such as "ci/build"
	State       string       `json:"state"`   // "pending", "success", "failure" or "error"
	Description *string      `json:"description"`
	TargetURL   *string      `json:"target_url"`
	AvatarURL   *string      `json:"avatar_url,omitempty"`
	Commit      StatusCommit `json:"commit"`
	// Branches has up to 10 branches that have the commit as their head or
	// contain it.
	Branches  []StatusBranch `json:"branches,omitzero"`
	CreatedAt wire.Time      `json:"created_at,omitzero"`
	UpdatedAt wire.Time      `json:"updated_at,omitzero"`
	Origin
}

// EventType returns "github.status".
func (Status) EventType() string { return "github.status" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (Status) Check(document []byte) error { return check("status", document) }

// A StatusCommit is a commit in the form of GitHub's API.
type StatusCommit struct {
	SHA       string    `json:"sha"`
	NodeID    string    `json:"node_id"`
	Commit    GitCommit `json:"commit"`
	Author    *User     `json:"author"`    // nil if no account matches
	Committer *User     `json:"committer"` // nil if no account matches
	URL       string    `json:"url"`
	HTMLURL   string    `json:"html_url"`
}

// A GitCommit has the fields of a commit that git itself stores.
type GitCommit struct {
	Message   string `json:"message"`
	Author    Author `json:"author"`
	Committer Author `json:"committer"`
}

// A StatusBranch is a branch and its head commit.
type StatusBranch struct {
	Name      string     `json:"name"`
	Protected bool       `json:"protected"`
	Commit    CommitLink `json:"commit"`
}

// A CommitLink is the short form of a commit.
type CommitLink struct {
	SHA string `json:"sha"`
	URL string `json:"url"`
}
