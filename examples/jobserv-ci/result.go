package main

import (
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A result describes a build: it is the JSON line of -json and the standard input
// of a command. It is built from the notification, which is correct if the API
// differs. Only Tests and LogTail come from the API.
type result struct {
	Project   string         `json:"project"`
	BuildID   int64          `json:"build_id"`
	Status    jobserv.Status `json:"status"`
	Rerun     bool           `json:"rerun,omitempty"` // an earlier notification had another status
	Name      string         `json:"name,omitempty"`  // set for a promoted build
	Trigger   string         `json:"trigger,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	Note      string         `json:"annotation,omitempty"`
	URL       string         `json:"url"` // web page, or API if there is none
	Created   string         `json:"created,omitempty"`
	Completed string         `json:"completed,omitempty"`
	Seconds   float64        `json:"seconds"`
	Runs      []runResult    `json:"runs"`
	// Missing lists what could not be fetched, with the reasons.
	Missing []string `json:"missing,omitempty"`
}

type runResult struct {
	Name    string         `json:"name"`
	Status  jobserv.Status `json:"status"`
	Seconds float64        `json:"seconds"`
	HostTag string         `json:"host_tag,omitempty"`
	URL     string         `json:"url"` // web page, or API if there is none
	LogURL  string         `json:"log_url"`
	Tests   []testResult   `json:"tests,omitempty"`
	LogTail string         `json:"log_tail,omitempty"` // set for a failed run
}

type testResult struct {
	Name    string         `json:"name"`
	Context string         `json:"context,omitempty"`
	Status  jobserv.Status `json:"status"`
	Failed  []caseResult   `json:"failed,omitempty"` // failed results
}

type caseResult struct {
	Name    string         `json:"name"`
	Context string         `json:"context,omitempty"`
	Status  jobserv.Status `json:"status"`
	Output  string         `json:"output,omitempty"`
}

// EventType is the type of the deliveries that queue commands.
func (result) EventType() string { return "jobserv-ci.result" }

// maxText is the maximum length of each untrusted text in bytes. An annotation
// alone can have 16 MiB.
const maxText = 4 << 10

func newResult(b jobserv.Build) result {
	r := result{
		Project: truncate(b.Project()), BuildID: b.BuildID, Status: b.Result(), Rerun: b.Rerun(),
		Name: truncate(b.Name.Or("")), Trigger: truncate(b.TriggerName.Or("")), Reason: truncate(b.ReasonText()), Note: truncate(b.Annotation.Or("")),
		URL:     truncate(b.WebURL.Or(b.APIURL())),
		Created: rfc3339(b.Created), Completed: rfc3339(b.Completed), Seconds: b.Duration().Seconds(),
		Runs: make([]runResult, 0, len(b.Runs)),
	}
	for _, run := range b.Runs {
		r.Runs = append(r.Runs, runResult{
			Name: truncate(run.Name), Status: run.Status, Seconds: run.Duration().Seconds(),
			HostTag: truncate(run.HostTag.Or("")), URL: truncate(run.WebURL.Or(run.URL)), LogURL: truncate(run.Log()),
		})
	}
	return r
}

// rfc3339 formats t in UTC. It returns "" if t is not set.
func rfc3339(t wire.Time) string {
	if !t.Valid() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// truncate shortens text to maxText and marks the cut.
func truncate(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + " [truncated]"
}
