package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// What a notice tells.
const (
	failure  = "failure"
	recovery = "recovery" // a success after a failure
	success  = "success"  // any other
)

// A notice is what targets are told, and what the plain URL gets as JSON.
type notice struct {
	What    string    `json:"what"`    // failure, recovery or success
	Event   string    `json:"event"`   // deployment or job
	Subject string    `json:"subject"` // the site's or slot's host; for a job host and name
	ID      string    `json:"id"`
	Status  string    `json:"status"`            // as Kudu spells it
	Author  string    `json:"author,omitempty"`  // of the commit; for a job what triggered it
	Message string    `json:"message,omitempty"` // of the commit
	Took    string    `json:"took,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
	URL     string    `json:"url,omitempty"`     // to look at
	Channel string    `json:"channel,omitempty"` // for Slack, where it is not its default
}

// title is one line for people.
func (n notice) title() string {
	did := map[string]string{failure: "failed", recovery: "works again", success: "succeeded"}[n.What]
	return strings.Join(strings.Fields(fmt.Sprintf("%s: %s %s", n.Subject, n.Event, did)), " ")
}

// A fact is a line of a notice: a name and a value.
type fact struct{ name, value string }

// facts are those that are known.
func (n notice) facts() []fact {
	ended := ""
	if !n.Ended.IsZero() {
		ended = n.Ended.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	all := []fact{{"Status", n.Status}, {"By", n.Author}, {"Ended", ended}, {"Took", n.Took}, {"Id", n.ID}}
	known := all[:0]
	for _, f := range all {
		if f.value != "" {
			known = append(known, f)
		}
	}
	return known
}

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

// sendTimeout bounds one attempt at telling a target.
const sendTimeout = 30 * time.Second

// A target is told. Where it is told twice by the same id, it should tell people
// once: an attempt may have succeeded without an answer.
type target interface {
	name() string
	send(ctx context.Context, id string, n notice) error
}

func noticeType(t target) string { return "notify." + t.name() }

// tell is the work of a stored notice. Its error is tried again.
func tell(ctx context.Context, t target, d *webhook.Delivery) error {
	var n notice
	if err := json.Unmarshal(d.Body, &n); err != nil {
		return fmt.Errorf("%w: %w", webhook.ErrMalformed, err)
	}
	return t.send(ctx, d.UID, n)
}

// channelHeader carries the channel that a hook's URL names, since a delivery
// keeps the headers of the call and not its URL.
const channelHeader = "Hook-Slack-Channel"

// withChannel reads the query parameter channel.
func withChannel(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(channelHeader)
		if channel := r.URL.Query().Get("channel"); channel != "" {
			r.Header.Set(channelHeader, channel)
		}
		next.ServeHTTP(w, r)
	})
}
