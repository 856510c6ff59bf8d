package kudu

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// A Status says how far a deployment has come. Others than those below are
// kept as they came.
type Status string

// The statuses, in the order in which /api/deployments numbers them from 0
// (Kudu: DeployStatus.cs). Pending is the default and left out of deliveries.
const (
	StatusPending   Status = "pending"
	StatusBuilding  Status = "building"
	StatusDeploying Status = "deploying"
	StatusFailed    Status = "failed"
	StatusSuccess   Status = "success"
)

var numbered = [...]Status{StatusPending, StatusBuilding, StatusDeploying, StatusFailed, StatusSuccess}

// Succeeded reports whether the deployment ended well, in any case of letters.
func (s Status) Succeeded() bool { return strings.EqualFold(string(s), string(StatusSuccess)) }

// UnmarshalJSON reads a name or a number; null leaves s unchanged. A number
// that names no status is kept as text.
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
		return errors.New("status is neither name, number nor null")
	}
}

func numberedStatus(digits string) Status {
	if n, err := strconv.Atoi(digits); err == nil && 0 <= n && n < len(numbered) {
		return numbered[n]
	}
	return Status(digits)
}

// statusOf returns what a token of a Deployment is read as.
func statusOf(token string) Status {
	s := StatusPending
	if s.UnmarshalJSON([]byte(token)) != nil {
		return ""
	}
	return s
}

// A JobStatus says how a run of a WebJob ended. It is written with a capital,
// other than a Status. Others than those below are kept as they came.
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

// Succeeded reports whether the run ended well, in any case of letters.
func (s JobStatus) Succeeded() bool { return strings.EqualFold(string(s), string(JobSuccess)) }
