package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// An outcome is how something ended, before it is known whether that is news.
type outcome struct {
	notice
	failed, final bool
	// placed: the delivery's ordering key tells the site. Otherwise only host
	// does, and not always.
	placed bool
	host   string
}

func ofDeployment(e *webhook.Event[kudu.Deployment]) outcome {
	d := e.Payload
	o := outcome{placed: e.OrderingKey != "", notice: notice{
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

func ofJob(e *webhook.Event[kudu.TriggeredJobRun]) outcome {
	r := e.Payload
	site, placed := strings.CutSuffix(e.OrderingKey, " "+strings.ToLower(r.JobName))
	if !placed {
		site = ""
	}
	host := r.Host()
	if r.JobName == "" {
		host = "" // does not tell the job
	}
	o := outcome{placed: placed, host: host, notice: notice{
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
