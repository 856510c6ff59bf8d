package kudu

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Deployment tells how a deployment ended; Kudu publishes it as
// PostDeployment. Kudu leaves out what has its default, so a field that was
// absent or null has its zero value here, and Status is pending. What was read
// is encoded again under the same names, null as null and absent as absent; a
// Deployment made in Go is encoded as Kudu does, in camelCase and without
// defaults.
type Deployment struct {
	// ID is the commit for git, "temp-" and 8 characters for a temporary
	// deployment, and anything for an archive. A redeployment has the same.
	ID     string
	Status Status
	// StatusText and the texts below are often empty.
	StatusText  string
	AuthorEmail string
	Author      string // may be "N/A"
	Message     string // of the commit, often with a newline at the end
	Progress    string // empty when the deployment has ended
	Deployer    string // "GitHub", "Bitbucket", a user name
	// ReceivedTime and the times below are UTC with up to seven digits of fraction.
	ReceivedTime wire.Time
	StartTime    wire.Time
	EndTime      wire.Time // absent until it has ended
	// LastSuccessEndTime is the end of the last success, which is an older one
	// where this deployment failed; absent where there never was one.
	LastSuccessEndTime wire.Time
	Complete           bool
	IsTemporary        bool
	IsReadOnly         bool
	// SiteName is cut at its first underscore and the same for all slots.
	SiteName string
	// HostName is the SCM host, which tells the slot:
	// app-slot.scm.azurewebsites.net. Absent before 2016.
	HostName    string
	ProjectType string
	VSProjectID string

	// The rest is in answers of /api/deployments only, never in a delivery.
	Active            bool
	URL               string
	LogURL            string
	ProvisioningState string

	marks       [fieldCount]mark
	statusToken string // the status as it was read
}

// EventType returns "kudu.PostDeployment".
func (Deployment) EventType() string { return "kudu.PostDeployment" }

// Site returns what was deployed to, in lower case: the host name, which tells
// the slot, or the site name where no host was told. It equals the delivery's
// ordering key, unless no host was told and the call named a site; see the
// package comment.
func (d Deployment) Site() string { return site(d.HostName, "", d.SiteName) }

// A TriggeredJobRun tells that a triggered WebJob has run; Kudu publishes it
// as TriggeredJobFinished (Kudu: TriggeredJobRun.cs). Its names are always
// snake_case. What is empty or absent is left out when it is encoded, as Kudu does.
type TriggeredJobRun struct {
	// ID and Name are the same: when the run started, as yyyyMMddHHmmssffff.
	ID        string    `json:"id,omitzero"`
	Name      string    `json:"name,omitzero"`
	Status    JobStatus `json:"status,omitzero"`
	StartTime wire.Time `json:"start_time,omitzero"`
	EndTime   wire.Time `json:"end_time,omitzero"`
	// TimeSpan is how long it ran, as .NET writes it; see Duration.
	TimeSpan string `json:"duration,omitzero"`
	// OutputURL and ErrorURL are there if the job wrote such a log.
	OutputURL wire.Optional[string] `json:"output_url,omitzero"`
	ErrorURL  wire.Optional[string] `json:"error_url,omitzero"`
	// URL is that of the run. Empty until Kudu itself has been called once since
	// it started (Kudu: JobsManagerBase.cs).
	URL     string `json:"url,omitzero"`
	JobName string `json:"job_name,omitzero"`
	// Trigger is "Schedule - " and a cron expression, or "External - " and the
	// caller's User-Agent. Absent in old versions.
	Trigger wire.Optional[string] `json:"trigger,omitzero"`
}

// EventType returns "kudu.TriggeredJobFinished".
func (TriggeredJobRun) EventType() string { return "kudu.TriggeredJobFinished" }

// Host returns the host in the run's URLs, in lower case; empty where it has
// none. It is the name by which Kudu itself was last called, so it tells where to
// look but is no identity: the same site may have several.
func (r TriggeredJobRun) Host() string { return runHost(r.URL, r.OutputURL.Or(""), r.ErrorURL.Or("")) }

// Duration returns how long the job ran, exact to the 100 ns that .NET counts.
// The error says that TimeSpan is none, or is longer than 292 years.
func (r TriggeredJobRun) Duration() (time.Duration, error) { return parseTimeSpan(r.TimeSpan) }
