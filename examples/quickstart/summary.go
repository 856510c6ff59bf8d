package main

import (
	"cmp"
	"time"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// The summary that is printed for each payload.
type (
	pushSummary struct {
		Repository string `json:"repository"`
		Ref        string `json:"ref"`
		After      string `json:"after"`
		Commits    int    `json:"commits"`
		Pusher     string `json:"pusher"`
	}
	imageSummary struct {
		Image    string `json:"image"`
		Pusher   string `json:"pusher"`
		PushedAt string `json:"pushed_at"`
	}
	buildSummary struct {
		Project string         `json:"project"`
		BuildID int64          `json:"build_id"`
		Status  jobserv.Status `json:"status"`
		Runs    int            `json:"runs"`
		Passed  int            `json:"passed"` // number of runs that passed
		Trigger string         `json:"trigger"`
	}
	deploymentSummary struct {
		Deployment string `json:"deployment"`
		Status     string `json:"status"`
		Author     string `json:"author"`
		Site       string `json:"site"`
		EndTime    string `json:"end_time"`
	}
)

func summarizePush(p github.Push) pushSummary {
	return pushSummary{p.Repository.FullName, p.Ref, p.After, len(p.Commits), p.Pusher.Name}
}

func summarizeImage(p dockerhub.Push) imageSummary {
	return imageSummary{p.Image(), p.PushData.Pusher, rfc3339(p.PushData.PushedAt)}
}

func summarizeBuild(b jobserv.Build) buildSummary {
	passed := 0
	for _, r := range b.Runs {
		if r.Passed() {
			passed++
		}
	}
	return buildSummary{b.Project(), b.BuildID, b.Result(), len(b.Runs), passed, b.TriggerName.Or("")}
}

func summarizeDeployment(d kudu.Deployment) deploymentSummary {
	return deploymentSummary{d.ID, string(d.Status), d.Author, d.Site(), rfc3339(d.EndTime)}
}

// rfc3339 formats t in UTC. It returns "" if t is not set.
func rfc3339(t wire.Time) string {
	if !t.Valid() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// summarize returns a line about a delivery of any sender, for the inspector.
func summarize(d *webhook.Delivery) string {
	return cmp.Or(github.Summary(d), jobserv.Summary(d), dockerhub.Summary(d), kudu.Summary(d))
}
