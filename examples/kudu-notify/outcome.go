package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// An outcome is the result of a deployment or a job run. Its notice has no What
// yet.
type outcome struct {
	notice
	failed, final bool
	// hasSite reports whether the delivery's ordering key contains the site. If not,
	// host names the site, unless it is empty.
	hasSite bool
	host    string
}

func newDeploymentOutcome(e *webhook.Event[kudu.Deployment]) outcome {
	d := e.Payload
	o := outcome{hasSite: e.OrderingKey != "", notice: notice{
		Event: "deployment", Subject: cmp.Or(d.Site(), e.OrderingKey, "unknown site"), ID: d.ID, Status: string(d.Status),
		Author: cmp.Or(d.Author, d.Deployer), Message: strings.TrimSpace(d.Message), Ended: d.EndTime.Time,
	}}
	if d.HostName != "" {
		o.URL = "https://" + d.HostName
	}
	if d.StartTime.Valid() && d.EndTime.Valid() {
		o.Took = d.EndTime.Sub(d.StartTime.Time).Round(time.Second).String()
	}
	o.failed = strings.EqualFold(o.Status, string(kudu.StatusFailed))
	o.final = o.failed || d.Status.Succeeded()
	return o
}

func newJobOutcome(e *webhook.Event[kudu.TriggeredJobRun]) outcome {
	r := e.Payload
	site, hasSite := strings.CutSuffix(e.OrderingKey, " "+strings.ToLower(r.JobName))
	if !hasSite {
		site = ""
	}
	host := r.Host()
	if r.JobName == "" {
		host = "" // the job is unknown
	}
	o := outcome{hasSite: hasSite, host: host, notice: notice{
		Event: "job", Subject: strings.TrimSpace(cmp.Or(r.Host(), site) + " " + r.JobName), ID: r.ID, Status: string(r.Status),
		Author: r.Trigger.Or(""), Ended: r.EndTime.Time, URL: r.OutputURL.Or(r.URL),
	}}
	if took, err := r.Duration(); err == nil {
		o.Took = took.Round(time.Second).String()
	}
	for _, bad := range []kudu.JobStatus{kudu.JobFailed, kudu.JobAborted, kudu.JobStopped} {
		o.failed = o.failed || strings.EqualFold(o.Status, string(bad))
	}
	o.final = o.failed || r.Status.Succeeded()
	return o
}
