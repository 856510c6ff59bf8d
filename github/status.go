package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A Status is the payload of "status": a commit's status changed. It has no
// action.
type Status struct {
	ID          int64          `json:"id"`
	SHA         string         `json:"sha"`
	Name        string         `json:"name"`    // the repository's full name
	Context     string         `json:"context"` // which check: "ci/build"
	State       string         `json:"state"`   // "pending", "success", "failure" or "error"
	Description *string        `json:"description"`
	TargetURL   *string        `json:"target_url"`
	AvatarURL   *string        `json:"avatar_url,omitempty"`
	Commit      StatusCommit   `json:"commit"`
	Branches    []StatusBranch `json:"branches,omitzero"` // at most 10 that have the commit as their head or contain it
	CreatedAt   wire.Time      `json:"created_at,omitzero"`
	UpdatedAt   wire.Time      `json:"updated_at,omitzero"`
	Origin
}

// EventType returns "github.status".
func (Status) EventType() string { return "github.status" }

// Check implements [webhook.Checker].
func (Status) Check(document []byte) error { return check("status", document) }

// A StatusCommit is the commit in the form of GitHub's API.
type StatusCommit struct {
	SHA       string    `json:"sha"`
	NodeID    string    `json:"node_id"`
	Commit    GitCommit `json:"commit"`
	Author    *User     `json:"author"`    // nil where no account fits
	Committer *User     `json:"committer"` // nil where no account fits
	URL       string    `json:"url"`
	HTMLURL   string    `json:"html_url"`
}

// A GitCommit is what git itself keeps of a commit.
type GitCommit struct {
	Message   string `json:"message"`
	Author    Author `json:"author"`
	Committer Author `json:"committer"`
}

// A StatusBranch is a branch and its head.
type StatusBranch struct {
	Name      string     `json:"name"`
	Protected bool       `json:"protected"`
	Commit    CommitLink `json:"commit"`
}

// A CommitLink is the shortest form of a commit.
type CommitLink struct {
	SHA string `json:"sha"`
	URL string `json:"url"`
}
