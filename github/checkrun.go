package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A CheckRun is the payload of "check_run": created, completed, rerequested, or
// requested_action.
type CheckRun struct {
	Action          string           `json:"action"`
	CheckRun        CheckRunInfo     `json:"check_run"`
	RequestedAction *RequestedAction `json:"requested_action,omitempty"`
	Origin
}

// EventType returns "github.check_run".
func (CheckRun) EventType() string { return "github.check_run" }

// Check implements [webhook.Checker].
func (CheckRun) Check(document []byte) error { return check("check_run", document) }

// Succeeded reports whether the check is over and all went well.
func (c CheckRun) Succeeded() bool {
	return c.Action == "completed" && succeeded(c.CheckRun.Conclusion)
}

// A RequestedAction is the button of a check run that a user pressed.
type RequestedAction struct {
	Identifier string `json:"identifier"`
}

// A CheckRunInfo is the check run itself.
type CheckRunInfo struct {
	ID           int64             `json:"id"`
	NodeID       string            `json:"node_id"`
	Name         string            `json:"name"`
	HeadSHA      string            `json:"head_sha"`
	ExternalID   *string           `json:"external_id"` // the App's own
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
	CompletedAt  wire.Time         `json:"completed_at,omitzero"` // null until it is over
}

// A CheckRunOutput is the report of a check run.
type CheckRunOutput struct {
	Title            *string `json:"title"`
	Summary          *string `json:"summary"`
	Text             *string `json:"text"`
	AnnotationsCount int64   `json:"annotations_count"`
	AnnotationsURL   string  `json:"annotations_url"`
}

// A CheckSuite is the check runs of one App for one commit.
type CheckSuite struct {
	ID         int64   `json:"id"`
	NodeID     string  `json:"node_id"`
	HeadBranch *string `json:"head_branch"` // bare; nil for a commit from a fork
	HeadSHA    string  `json:"head_sha"`
	Before     *string `json:"before"`
	After      *string `json:"after"`
	Status     *string `json:"status"`
	Conclusion *string `json:"conclusion"`
	URL        string  `json:"url"`
}

// An App is the GitHub App that made a check.
type App struct {
	ID     int64  `json:"id"`
	NodeID string `json:"node_id"`
	Slug   string `json:"slug,omitempty"`
	Name   string `json:"name"`
	Owner  *User  `json:"owner"`
}
