package jobserv

import (
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Build is the payload of a notification. JobServ has sent three shapes
// (JobServ: history of notify.py), which differ in the members that are
// present:
//
//   - since 2021-10: all members but the last four;
//   - 2021-03 to 2021-10: the same without StatusEvents, RunsURL, Reason and
//     Annotation;
//   - 2021-02: ProjectName, BuildID, BuildStatus, BuildURL, BuildReason, and
//     Runs with URL, Name and Status alone.
//
// The methods Project, Result, APIURL and ReasonText read the members of each
// shape. A Build that is decoded and encoded again has the same members: null
// stays null and absent stays absent.
//
// Times come from the server's clock, in UTC, with microseconds if its database
// stores them.
type Build struct {
	// BuildID numbers the builds of one project. It is not unique across
	// projects.
	BuildID int64 `json:"build_id"`
	// URL is the build's address in the API. Its host is the one that the
	// server was called by, which may be internal.
	URL    wire.Optional[string] `json:"url,omitzero"`
	Status wire.Optional[Status] `json:"status,omitzero"`
	Runs   []Run                 `json:"runs"`
	// WebURL is the build's page, if the server is configured to have one.
	WebURL wire.Optional[string] `json:"web_url,omitzero"`
	// Name is the name that the build got when it was promoted.
	Name        wire.Optional[string] `json:"name,omitzero"`
	TriggerName wire.Optional[string] `json:"trigger_name,omitzero"`
	Created     wire.Time             `json:"created,omitzero"`   // time of the first status event
	Completed   wire.Time             `json:"completed,omitzero"` // time of the last status event
	// StatusEvents is the history, oldest first. A rerun continues it.
	StatusEvents wire.Optional[[]StatusEvent] `json:"status_events,omitzero"`
	RunsURL      wire.Optional[string]        `json:"runs_url,omitzero"`
	// Reason is the reason for the build, often a commit message of several
	// lines. It has up to 4096 characters.
	Reason wire.Optional[string] `json:"reason,omitzero"`
	// Annotation is free text of any length.
	Annotation wire.Optional[string] `json:"annotation,omitzero"`

	// Only the first shape has ProjectName and the members below.
	ProjectName wire.Optional[string] `json:"project_name,omitzero"`
	BuildStatus wire.Optional[Status] `json:"build_status,omitzero"`
	BuildURL    wire.Optional[string] `json:"build_url,omitzero"`
	BuildReason wire.Optional[string] `json:"build_reason,omitzero"`
}

// EventType returns "jobserv.build". It implements [webhook.Payload].
func (Build) EventType() string { return eventType }

// Check returns an error if the document is not an object, or if url,
// project_name, build_url or completed appears twice or in a different case. It
// implements [webhook.Checker].
func (Build) Check(document []byte) error {
	_, err := inspect(document)
	return err
}

// Project returns the name of the project, such as "acme/lmp", which is the
// ordering key of the delivery. It returns "" if the body does not contain one.
func (b Build) Project() string {
	return projectOf(b.URL.Or(""), b.ProjectName.Or(""), b.BuildURL.Or(""))
}

// Result returns the status of the build.
func (b Build) Result() Status { return b.Status.Or(b.BuildStatus.Or("")) }

// Passed reports whether the build passed. That of a promoted build is the status that it had
// before, by its StatusEvents or its Runs.
func (b Build) Passed() bool { return b.completion().Passed() }

// APIURL returns the URL of the build in the API.
func (b Build) APIURL() string { return b.URL.Or(b.BuildURL.Or("")) }

// ReasonText returns the reason for the build, or "" if it is null or absent.
func (b Build) ReasonText() string { return b.Reason.Or(b.BuildReason.Or("")) }

// Failed returns the runs that are complete and did not pass, in the order of
// the body. A skipped run is not a failure.
func (b Build) Failed() []Run {
	var failed []Run
	for _, r := range b.Runs {
		if r.Status.Complete() && !r.Status.Passed() && r.Status != Skipped {
			failed = append(failed, r)
		}
	}
	return failed
}

// Rerun reports whether a run of the build was run again after the build was
// complete, so that JobServ sent an earlier notification for the same BuildID.
// It returns false if the body has no StatusEvents.
func (b Build) Rerun() bool {
	ends := 0
	for _, e := range b.StatusEvents.Or(nil) {
		if e.Status == Passed || e.Status == Failed {
			ends++
		}
	}
	return ends > 1
}

// Duration returns the time from Created to Completed, which includes the time
// in the queue and, for a rerun, the time between the runs. It returns zero if
// one of the two is missing or they are out of order.
func (b Build) Duration() time.Duration { return between(b.Created, b.Completed) }

// A StatusEvent is an entry in the history of a build.
type StatusEvent struct {
	Time   wire.Time `json:"time,omitzero"`
	Status Status    `json:"status"`
}

// A Run is one job of a build.
type Run struct {
	Name   string                `json:"name"` // unique in the build
	URL    string                `json:"url"`
	Status Status                `json:"status"`
	LogURL wire.Optional[string] `json:"log_url,omitzero"` // plain text
	WebURL wire.Optional[string] `json:"web_url,omitzero"`
	// Created is absent for a run that failed before it started.
	Created   wire.Time `json:"created,omitzero"`
	Completed wire.Time `json:"completed,omitzero"`
	// HostTag selects the hosts that can run it. It may contain wildcards.
	HostTag wire.Optional[string] `json:"host_tag,omitzero"`
	// TestsURL is the address of the list of tests, the member "tests" of the
	// body. Absent if the run has none.
	TestsURL wire.Optional[string] `json:"tests,omitzero"`
}

// Passed reports whether the run passed.
func (r Run) Passed() bool { return r.Status.Passed() }

// Log returns the URL of the console log. Bodies of the first shape do not
// contain it; for them Log returns the place below the run's URL where JobServ
// serves the log. It returns "" if the run has no URL.
func (r Run) Log() string {
	if log := r.LogURL.Or(""); log != "" {
		return log
	}
	return under(r.URL, "console.log")
}

// Duration returns the time from Created to Completed, or zero if one of the
// two is missing or they are out of order.
func (r Run) Duration() time.Duration { return between(r.Created, r.Completed) }

func between(from, to wire.Time) time.Duration {
	if !from.Valid() || !to.Valid() {
		return 0
	}
	return max(to.Sub(from.Time), 0)
}

// under returns the URL of name below base, with one slash between them.
// JobServ's URLs end in a slash. It returns "" if base is empty.
func under(base, name string) string {
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + "/" + name
}

// A Status is the state of a build, run, test or test result, by its name on
// the wire (JobServ: models.py). The status of a notified build is Passed or
// Failed; the others appear in [Build.StatusEvents] and in answers to a
// [Client].
type Status string

// The statuses.
const (
	Queued              Status = "QUEUED"
	Running             Status = "RUNNING"
	Passed              Status = "PASSED"
	Failed              Status = "FAILED"
	RunningWithFailures Status = "RUNNING_WITH_FAILURES"
	Uploading           Status = "UPLOADING"
	Promoted            Status = "PROMOTED"
	Skipped             Status = "SKIPPED"
	Cancelling          Status = "CANCELLING"
)

// Passed reports whether the status is PASSED or PROMOTED. A promoted build was
// given a name, and JobServ also allows that for one that failed: see [Build.Passed].
func (s Status) Passed() bool { return s == Passed || s == Promoted }

// Complete reports whether the status is final unless somebody starts a rerun.
func (s Status) Complete() bool {
	switch s {
	case Passed, Failed, Promoted, Skipped:
		return true
	default:
		return false
	}
}
