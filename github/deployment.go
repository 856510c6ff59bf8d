package github

import (
	"encoding/json"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A DeploymentStatus is the payload of "deployment_status", which GitHub sends
// when a deployment gets a new status. Its only action is "created".
type DeploymentStatus struct {
	Action           string               `json:"action"`
	DeploymentStatus DeploymentStatusInfo `json:"deployment_status"`
	Deployment       Deployment           `json:"deployment"`
	CheckRun         *CheckRunInfo        `json:"check_run,omitempty"`    // set if a workflow created the deployment
	Workflow         *Workflow            `json:"workflow,omitempty"`     // as CheckRun
	WorkflowRun      *WorkflowRunInfo     `json:"workflow_run,omitempty"` // as CheckRun
	Origin
}

// EventType returns "github.deployment_status".
func (DeploymentStatus) EventType() string { return "github.deployment_status" }

// Check implements [webhook.Checker]. It returns an error if the document is
// not JSON or is ambiguous, as the package comment describes.
func (DeploymentStatus) Check(document []byte) error { return check("deployment_status", document) }

// A DeploymentStatusInfo describes the status of a deployment.
type DeploymentStatusInfo struct {
	ID             int64     `json:"id"`
	NodeID         string    `json:"node_id"`
	State          string    `json:"state"` // "pending", "in_progress", "success", "failure", "error", "waiting", "queued" ...
	Description    string    `json:"description"`
	Environment    string    `json:"environment"`
	EnvironmentURL string    `json:"environment_url,omitempty"`
	TargetURL      string    `json:"target_url"`
	LogURL         string    `json:"log_url,omitempty"`
	Creator        *User     `json:"creator"`
	URL            string    `json:"url"`
	CreatedAt      wire.Time `json:"created_at,omitzero"`
	UpdatedAt      wire.Time `json:"updated_at,omitzero"`
}

// A Deployment is a request to deploy a ref.
type Deployment struct {
	ID                  int64  `json:"id"`
	NodeID              string `json:"node_id"`
	SHA                 string `json:"sha"`
	Ref                 string `json:"ref"` // a branch or tag name, or a SHA
	Task                string `json:"task"`
	Environment         string `json:"environment"`
	OriginalEnvironment string `json:"original_environment"`
	// Payload is the data that the creator of the deployment attached: an
	// object or a string.
	Payload     json.RawMessage `json:"payload,omitempty"`
	Description *string         `json:"description"`
	Creator     *User           `json:"creator"`
	URL         string          `json:"url"`
	StatusesURL string          `json:"statuses_url"`
	CreatedAt   wire.Time       `json:"created_at,omitzero"`
	UpdatedAt   wire.Time       `json:"updated_at,omitzero"`
}
