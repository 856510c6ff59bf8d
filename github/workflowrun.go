package github

import "github.com/hookhouse/hookhouse/webhook/wire"

// A WorkflowRun is the payload of "workflow_run". Its actions are requested,
// in_progress and completed.
type WorkflowRun struct {
	Action      string          `json:"action"`
	Workflow    *Workflow       `json:"workflow"`
	WorkflowRun WorkflowRunInfo `json:"workflow_run"`
	Origin
}

// EventType returns "github.workflow_run".
func (WorkflowRun) EventType() string { return "github.workflow_run" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (WorkflowRun) Check(document []byte) error { return check("workflow_run", document) }

// Succeeded reports whether the run completed with the conclusion success.
func (w WorkflowRun) Succeeded() bool {
	return w.Action == "completed" && succeeded(w.WorkflowRun.Conclusion)
}

func succeeded(conclusion *string) bool { return conclusion != nil && *conclusion == "success" }

// A Workflow is the file that defines a run.
type Workflow struct {
	ID      int64  `json:"id"`
	NodeID  string `json:"node_id"`
	Name    string `json:"name"`
	Path    string `json:"path"`  // ".github/workflows/test.yml"
	State   string `json:"state"` // "active" ...
	URL     string `json:"url"`
	HTMLURL string `json:"html_url"`
}

// A WorkflowRunInfo describes a run of a workflow.
type WorkflowRunInfo struct {
	ID           int64   `json:"id"`
	NodeID       string  `json:"node_id"`
	Name         *string `json:"name"`
	DisplayTitle string  `json:"display_title"`
	Path         string  `json:"path"`
	RunNumber    int64   `json:"run_number"`
	RunAttempt   int64   `json:"run_attempt"` // counts from 1; a re-run keeps the ID
	Event        string  `json:"event"`       // the event that started it: "push", "schedule" ...
	Status       string  `json:"status"`      // "queued", "in_progress", "completed" ...
	// Conclusion is nil until the run completes. Then it is "success",
	// "failure", "neutral", "cancelled", "timed_out", "action_required",
	// "stale" or "skipped".
	Conclusion *string `json:"conclusion"`

	HeadBranch     *string            `json:"head_branch"` // without refs/heads/
	HeadSHA        string             `json:"head_sha"`
	HeadCommit     *WorkflowRunCommit `json:"head_commit"`
	HeadRepository *Repository        `json:"head_repository"` // in the short form; a different repository for a run from a fork
	PullRequests   []PullRequestLink  `json:"pull_requests,omitzero"`

	WorkflowID      int64     `json:"workflow_id"`
	CheckSuiteID    int64     `json:"check_suite_id"`
	Actor           *User     `json:"actor"`
	TriggeringActor *User     `json:"triggering_actor"` // the account that re-ran it
	URL             string    `json:"url"`
	HTMLURL         string    `json:"html_url"`
	JobsURL         string    `json:"jobs_url"`
	LogsURL         string    `json:"logs_url"`
	ArtifactsURL    string    `json:"artifacts_url"`
	CreatedAt       wire.Time `json:"created_at,omitzero"`
	UpdatedAt       wire.Time `json:"updated_at,omitzero"`
	RunStartedAt    wire.Time `json:"run_started_at,omitzero"`
}

// A WorkflowRunCommit is the commit that a workflow runs on.
type WorkflowRunCommit struct {
	ID        string    `json:"id"`
	TreeID    string    `json:"tree_id"`
	Message   string    `json:"message"`
	Timestamp wire.Time `json:"timestamp,omitzero"`
	Author    Author    `json:"author"`
	Committer Author    `json:"committer"`
}
