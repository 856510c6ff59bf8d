package kudu

import (
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Deployment is the payload of PostDeployment, which Kudu sends when a
// deployment ends.
//
// Kudu omits fields that have their default. A field that is absent or null has
// its zero value in a decoded Deployment, except Status, which is
// StatusPending. A decoded Deployment encodes under the same names, with null
// as null and absent as absent. One that is made in Go encodes as Kudu does, in
// camelCase and without defaults.
type Deployment struct {
	// ID is the commit for a deployment from git, "temp-" and 8 characters for
	// a temporary deployment, and any text for an archive. A redeployment has
	// the same ID.
	ID     string
	Status Status
	// StatusText and the strings below are often empty.
	StatusText  string
	AuthorEmail string
	Author      string // may be "N/A"
	Message     string // of the commit, often with a newline at the end
	Progress    string // empty when the deployment has ended
	Deployer    string // "GitHub", "Bitbucket" or a user name
	// ReceivedTime and the times below are in UTC with up to seven fractional
	// digits.
	ReceivedTime wire.Time
	StartTime    wire.Time
	EndTime      wire.Time // absent until the deployment ends
	// LastSuccessEndTime is the end of the last successful deployment, which is
	// an earlier one if this deployment failed. Absent if there was none.
	LastSuccessEndTime wire.Time
	Complete           bool
	IsTemporary        bool
	IsReadOnly         bool
	// SiteName is cut at its first underscore. It is the same for all slots.
	SiteName string
	// HostName is the SCM host, which identifies the slot, such as
	// app-slot.scm.azurewebsites.net. Absent before 2016.
	HostName    string
	ProjectType string
	VSProjectID string

	// Only answers of /api/deployments have the following fields, never a
	// delivery.
	Active            bool
	URL               string
	LogURL            string
	ProvisioningState string

	forms       [fieldCount]fieldForm
	statusToken string // the decoded JSON value of the status
}

// EventType returns "kudu.PostDeployment".
func (Deployment) EventType() string { return "kudu.PostDeployment" }

// Check returns an error if a field appears in the document twice, in two
// spellings, or in a different case. It implements [webhook.Checker].
func (Deployment) Check(document []byte) error { return check(document) }

// Site returns the site that was deployed to, in lower case: HostName, which
// identifies the slot, or SiteName if HostName is empty. It equals the
// delivery's ordering key, unless HostName is empty and the hook's URL names a
// site; see the package comment.
func (d Deployment) Site() string { return siteKey(d.HostName, "", d.SiteName) }

// A TriggeredJobRun is the payload of TriggeredJobFinished, which Kudu sends
// when a run of a triggered WebJob ends (Kudu: TriggeredJobRun.cs). Its names
// are always in snake_case. As in Kudu, encoding omits fields that are empty or
// absent.
type TriggeredJobRun struct {
	// ID and Name are equal: the time of the start as yyyyMMddHHmmssffff.
	ID        string    `json:"id,omitzero"`
	Name      string    `json:"name,omitzero"`
	Status    JobStatus `json:"status,omitzero"`
	StartTime wire.Time `json:"start_time,omitzero"`
	EndTime   wire.Time `json:"end_time,omitzero"`
	// TimeSpan is the duration of the run in the format of .NET. The method
	// Duration parses it.
	TimeSpan string `json:"duration,omitzero"`
	// OutputURL and ErrorURL are present if the job wrote such a log.
	OutputURL wire.Optional[string] `json:"output_url,omitzero"`
	ErrorURL  wire.Optional[string] `json:"error_url,omitzero"`
	// URL is the address of the run. It is empty until Kudu itself has been
	// called for the first time since its start (Kudu: JobsManagerBase.cs).
	URL     string `json:"url,omitzero"`
	JobName string `json:"job_name,omitzero"`
	// Trigger is "Schedule - " and a cron expression, or "External - " and the
	// caller's User-Agent. Absent in old versions.
	Trigger wire.Optional[string] `json:"trigger,omitzero"`
}

// EventType returns "kudu.TriggeredJobFinished".
func (TriggeredJobRun) EventType() string { return "kudu.TriggeredJobFinished" }

// Check returns an error for the same documents as [Deployment.Check]. It
// implements [webhook.Checker].
func (TriggeredJobRun) Check(document []byte) error { return check(document) }

// Host returns the host of the run's URLs in lower case, or "" if there is
// none. It is the name by which Kudu itself was last called. It is an address
// for the run but does not identify the site, which may have several.
func (r TriggeredJobRun) Host() string { return runHost(r.URL, r.OutputURL.Or(""), r.ErrorURL.Or("")) }

// Duration returns the duration of the run, exact to the 100 ns of a .NET tick.
// It returns an error if TimeSpan is not a .NET time span or exceeds 292 years.
func (r TriggeredJobRun) Duration() (time.Duration, error) { return parseTimeSpan(r.TimeSpan) }
