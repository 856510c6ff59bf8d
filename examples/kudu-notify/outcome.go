package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
)

// An outcome is how something ended, before it is known whether that is news.
type outcome struct {
	notice
	failed, final bool
}

func ofDeployment(d kudu.Deployment) outcome {
	o := outcome{notice: notice{
		Event: "deployment", Subject: cmp.Or(d.Site(), "unknown site"), ID: d.ID, Status: string(d.Status),
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

func ofJob(r kudu.TriggeredJobRun) outcome {
	o := outcome{notice: notice{
		Event: "job", Subject: strings.TrimSpace(r.Host() + " " + r.JobName), ID: r.ID, Status: string(r.Status),
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
