package main

import (
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A result is what is told of a build: the line of -json, and what a command
// gets. It is built from the body alone, which is right where the API differs;
// what the API adds is Tests and LogTail.
type result struct {
	Project   string         `json:"project"`
	BuildID   int64          `json:"build_id"`
	Status    jobserv.Status `json:"status"`
	Rerun     bool           `json:"rerun,omitempty"` // told before with another status
	Name      string         `json:"name,omitempty"`  // of a promoted build
	Trigger   string         `json:"trigger,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	Note      string         `json:"annotation,omitempty"`
	URL       string         `json:"url"` // the page, or else the API
	Created   string         `json:"created,omitempty"`
	Completed string         `json:"completed,omitempty"`
	Seconds   float64        `json:"seconds"`
	Runs      []runResult    `json:"runs"`
	// Missing tells what should have been fetched and was not, and why.
	Missing []string `json:"missing,omitempty"`
}

type runResult struct {
	Name    string         `json:"name"`
	Status  jobserv.Status `json:"status"`
	Seconds float64        `json:"seconds"`
	HostTag string         `json:"host_tag,omitempty"`
	URL     string         `json:"url"` // the page, or else the API
	LogURL  string         `json:"log_url"`
	Tests   []testResult   `json:"tests,omitempty"`
	LogTail string         `json:"log_tail,omitempty"` // of a failed run
}

type testResult struct {
	Name    string         `json:"name"`
	Context string         `json:"context,omitempty"`
	Status  jobserv.Status `json:"status"`
	Failed  []caseResult   `json:"failed,omitempty"` // of its results
}

type caseResult struct {
	Name    string         `json:"name"`
	Context string         `json:"context,omitempty"`
	Status  jobserv.Status `json:"status"`
	Output  string         `json:"output,omitempty"`
}

// EventType names the deliveries that commands are queued as.
func (result) EventType() string { return "jobserv-ci.result" }

// maxText bounds each text that anybody may have written, in bytes: an
// annotation alone can be 16 MiB.
const maxText = 4 << 10

func newResult(b jobserv.Build) result {
	r := result{
		Project: cut(b.Project()), BuildID: b.BuildID, Status: b.Result(), Rerun: b.Rerun(),
		Name: cut(b.Name.Or("")), Trigger: cut(b.TriggerName.Or("")), Reason: cut(b.ReasonText()), Note: cut(b.Annotation.Or("")),
		URL:     cut(b.WebURL.Or(b.APIURL())),
		Created: rfc3339(b.Created), Completed: rfc3339(b.Completed), Seconds: b.Duration().Seconds(),
		Runs: make([]runResult, 0, len(b.Runs)),
	}
	for _, run := range b.Runs {
		r.Runs = append(r.Runs, runResult{
			Name: cut(run.Name), Status: run.Status, Seconds: run.Duration().Seconds(),
			HostTag: cut(run.HostTag.Or("")), URL: cut(run.WebURL.Or(run.URL)), LogURL: cut(run.Log()),
		})
	}
	return r
}

// rfc3339 is empty where there is no time.
func rfc3339(t wire.Time) string {
	if !t.Valid() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// cut shortens what is too long, and says so.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + " [cut]"
}
