package jobserv

import (
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A Build is the body of a notification. Three shapes of it have been sent
// (JobServ: history of notify.py), and which members are there tells them apart:
//
//   - since 2021-10: all members but the last four;
//   - 2021-03 to 2021-10: the same without StatusEvents, RunsURL, Reason and
//     Annotation;
//   - 2021-02: ProjectName, BuildID, BuildStatus, BuildURL, BuildReason, and
//     Runs with URL, Name and Status alone.
//
// The methods Project, Result, APIURL and ReasonText read whichever is there.
// A Build that is decoded and encoded again has the same members; null stays
// null and absent stays absent.
//
// The time is the server's, in UTC, with microseconds where its database keeps
// them.
type Build struct {
	// BuildID counts the builds of one project; it is not unique among projects.
	BuildID int64 `json:"build_id"`
	// URL is the build in the API. Its host is the one the server was called by
	// and may be internal.
	URL    wire.Optional[string] `json:"url,omitzero"`
	Status wire.Optional[Status] `json:"status,omitzero"`
	Runs   []Run                 `json:"runs"`
	// WebURL is the build's page, if the server is set up to have one.
	WebURL wire.Optional[string] `json:"web_url,omitzero"`
	// Name is given by promotion.
	Name        wire.Optional[string] `json:"name,omitzero"`
	TriggerName wire.Optional[string] `json:"trigger_name,omitzero"`
	Created     wire.Time             `json:"created,omitzero"`   // the first status event
	Completed   wire.Time             `json:"completed,omitzero"` // the last one
	// StatusEvents is the history, oldest first. A rerun continues it.
	StatusEvents wire.Optional[[]StatusEvent] `json:"status_events,omitzero"`
	RunsURL      wire.Optional[string]        `json:"runs_url,omitzero"`
	// Reason is why it was built, often a commit message of several lines, up to
	// 4096 characters.
	Reason wire.Optional[string] `json:"reason,omitzero"`
	// Annotation is free text of any length.
	Annotation wire.Optional[string] `json:"annotation,omitzero"`

	// Of the first shape alone.

	ProjectName wire.Optional[string] `json:"project_name,omitzero"`
	BuildStatus wire.Optional[Status] `json:"build_status,omitzero"`
	BuildURL    wire.Optional[string] `json:"build_url,omitzero"`
	BuildReason wire.Optional[string] `json:"build_reason,omitzero"`
}

// EventType returns "jobserv.build". It makes Build a [webhook.Payload].
func (Build) EventType() string { return eventType }

// Check refuses a document that is not an object, and one in which a member that
// tells the project or the completion stands twice or in another case. It makes Build a
// [webhook.Checker].
func (Build) Check(document []byte) error {
	_, _, err := inspect(document)
	return err
}

// Project returns the name of the project, such as "acme/lmp", which is the
// ordering key of the delivery. Empty if it cannot be told.
func (b Build) Project() string {
	return projectOf(b.URL.Or(""), b.ProjectName.Or(""), b.BuildURL.Or(""))
}

// Result returns the status of the build.
func (b Build) Result() Status { return b.Status.Or(b.BuildStatus.Or("")) }

// Passed reports whether the build passed.
func (b Build) Passed() bool { return b.Result().Passed() }

// APIURL returns the URL of the build in the API.
func (b Build) APIURL() string { return b.URL.Or(b.BuildURL.Or("")) }

// ReasonText returns why it was built, empty if that is null or not told.
func (b Build) ReasonText() string { return b.Reason.Or(b.BuildReason.Or("")) }

// Failed returns the runs that are complete and have not passed, in the order of
// the body. Skipped ones are no failures.
func (b Build) Failed() []Run {
	var failed []Run
	for _, r := range b.Runs {
		if r.Status.Complete() && !r.Status.Passed() && r.Status != Skipped {
			failed = append(failed, r)
		}
	}
	return failed
}

// Rerun reports whether a run of the build was run again after the build had
// been complete: a notification for the same BuildID went before this one. It
// is false where the body has no history.
func (b Build) Rerun() bool {
	ends := 0
	for _, e := range b.StatusEvents.Or(nil) {
		if e.Status == Passed || e.Status == Failed {
			ends++
		}
	}
	return ends > 1
}

// Duration returns the time from Created to Completed, which includes the
// waiting in the queue and, after a rerun, the time between. Zero if one is
// missing or they are out of order.
func (b Build) Duration() time.Duration { return between(b.Created, b.Completed) }

// A StatusEvent is an entry of a build's history.
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
	// Created is missing for a run that failed before it began.
	Created   wire.Time `json:"created,omitzero"`
	Completed wire.Time `json:"completed,omitzero"`
	// HostTag says which hosts could run it; it may hold wildcards.
	HostTag wire.Optional[string] `json:"host_tag,omitzero"`
	// TestsURL lists the tests. Absent if the run has none. On the wire it is
	// named "tests".
	TestsURL wire.Optional[string] `json:"tests,omitzero"`
}

// Passed reports whether the run passed.
func (r Run) Passed() bool { return r.Status.Passed() }

// Log returns the URL of the console log. Bodies of the first shape do not
// have it; there it is where JobServ keeps it. Empty if the run has no URL.
func (r Run) Log() string {
	if log := r.LogURL.Or(""); log != "" {
		return log
	}
	return under(r.URL, "console.log")
}

// Duration returns the time from Created to Completed; zero if one is missing or
// they are out of order.
func (r Run) Duration() time.Duration { return between(r.Created, r.Completed) }

func between(from, to wire.Time) time.Duration {
	if !from.Valid() || !to.Valid() {
		return 0
	}
	return max(to.Sub(from.Time), 0)
}

// under returns the URL of something below base, which JobServ ends in a slash;
// empty for an empty base.
func under(base, name string) string {
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + "/" + name
}
