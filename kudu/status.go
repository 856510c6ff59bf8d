package kudu

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// A Status is the state of a deployment. Values other than the constants below
// are decoded unchanged.
type Status string

// The statuses, in the order in which /api/deployments numbers them from 0
// (Kudu: DeployStatus.cs). Kudu omits StatusPending, the default, from
// deliveries.
const (
	StatusPending   Status = "pending"
	StatusBuilding  Status = "building"
	StatusDeploying Status = "deploying"
	StatusFailed    Status = "failed"
	StatusSuccess   Status = "success"
)

var numbered = [...]Status{StatusPending, StatusBuilding, StatusDeploying, StatusFailed, StatusSuccess}

// Succeeded reports whether the status is success, in any letter case.
func (s Status) Succeeded() bool { return strings.EqualFold(string(s), string(StatusSuccess)) }

// UnmarshalJSON decodes a name or a number. It keeps a number without a status
// as text, and null leaves the Status unchanged.
func (s *Status) UnmarshalJSON(token []byte) error {
	switch {
	case string(token) == "null":
		return nil
	case len(token) > 0 && token[0] == '"':
		return json.Unmarshal(token, (*string)(s))
	case len(token) > 0 && (token[0] == '-' || '0' <= token[0] && token[0] <= '9'):
		*s = numberedStatus(string(token))
		return nil
	default:
		return errors.New("status is not a string, a number or null")
	}
}

// numberedStatus returns the status with a number, or digits if there is none.
func numberedStatus(digits string) Status {
	if n, err := strconv.Atoi(digits); err == nil && 0 <= n && n < len(numbered) {
		return numbered[n]
	}
	return Status(digits)
}

// statusOf returns the status that a JSON value decodes to, or "" if it does
// not decode.
func statusOf(token string) Status {
	s := StatusPending
	if s.UnmarshalJSON([]byte(token)) != nil {
		return ""
	}
	return s
}

// A JobStatus is the state of a run of a WebJob. Unlike a Status it begins with
// a capital letter. Values other than the constants below are decoded
// unchanged.
type JobStatus string

// The statuses of a run (Kudu: JobStatus.cs). A delivery has one of the last
// four.
const (
	JobInitializing JobStatus = "Initializing"
	JobRunning      JobStatus = "Running"
	JobSuccess      JobStatus = "Success"
	JobFailed       JobStatus = "Failed"
	JobAborted      JobStatus = "Aborted"
	JobStopped      JobStatus = "Stopped"
)

// Succeeded reports whether the status is Success, in any letter case.
func (s JobStatus) Succeeded() bool { return strings.EqualFold(string(s), string(JobSuccess)) }
