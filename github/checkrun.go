package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A CheckRun is the payload of "check_run". Its actions are created, completed,
// rerequested and requested_action.
type CheckRun struct {
	Action          string           `json:"action"`
	CheckRun        CheckRunInfo     `json:"check_run"`
	RequestedAction *RequestedAction `json:"requested_action,omitempty"`
	Origin
}

// EventType returns "github.check_run".
func (CheckRun) EventType() string { return "github.check_run" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (CheckRun) Check(document []byte) error { return check("check_run", document) }

// Succeeded reports whether the check run completed with the conclusion
// success.
func (c CheckRun) Succeeded() bool {
	return c.Action == "completed" && succeeded(c.CheckRun.Conclusion)
}

// A RequestedAction identifies the button of a check run that a user pressed.
type RequestedAction struct {
	Identifier string `json:"identifier"`
}

// A CheckRunInfo describes a check run.
type CheckRunInfo struct {
	ID           int64             `json:"id"`
	NodeID       string            `json:"node_id"`
	Name         string            `json:"name"`
	HeadSHA      string            `json:"head_sha"`
	ExternalID   *string           `json:"external_id"` // chosen by the App
	Status       string            `json:"status"`      // "queued", "in_progress", "completed" ...
	Conclusion   *string           `json:"conclusion"`  // as in [WorkflowRunInfo]
	Output       CheckRunOutput    `json:"output"`
	CheckSuite   *CheckSuite       `json:"check_suite"`
	App          *App              `json:"app"`
	PullRequests []PullRequestLink `json:"pull_requests,omitzero"`
	URL          string            `json:"url"`
	HTMLURL      *string           `json:"html_url"`
	DetailsURL   *string           `json:"details_url"`
	StartedAt    wire.Time         `json:"started_at,omitzero"`
	CompletedAt  wire.Time         `json:"completed_at,omitzero"` // null until the run completes
}

// A CheckRunOutput is the report of a check run.
type CheckRunOutput struct {
	Title            *string `json:"title"`
	Summary          *string `json:"summary"`
	Text             *string `json:"text"`
	AnnotationsCount int64   `json:"annotations_count"`
	AnnotationsURL   string  `json:"annotations_url"`
}

// A CheckSuite groups the check runs of an App for a commit.
type CheckSuite struct {
	ID         int64   `json:"id"`
	NodeID     string  `json:"node_id"`
	HeadBranch *string `json:"head_branch"` // without refs/heads/; nil for a commit from a fork
	HeadSHA    string  `json:"head_sha"`
	Before     *string `json:"before"`
	After      *string `json:"after"`
	Status     *string `json:"status"`
	Conclusion *string `json:"conclusion"`
	URL        string  `json:"url"`
}

// An App is the GitHub App that created a check.
type App struct {
	ID     int64  `json:"id"`
	NodeID string `json:"node_id"`
	Slug   string `json:"slug,omitempty"`
	Name   string `json:"name"`
	Owner  *User  `json:"owner"`
}
