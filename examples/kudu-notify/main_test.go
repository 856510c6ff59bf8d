package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

const slot = "scale-staging.scm.azurewebsites.net"

// at returns the end time of the nth event, one minute after the previous one.
func at(n int) wire.Time { return wire.At(time.Date(2026, 3, 4, 5, n, 7, 555094000, time.UTC)) }

// deployment returns the nth deployment of the slot.
func deployment(n int, status kudu.Status) kudu.Deployment {
	return kudu.Deployment{
		ID: fmt.Sprintf("9f2c4f3c%d", n), Status: status, Author: "Kim <!channel> Poe", Message: "Fix login & more\n\nSee ```log```\n",
		Deployer: "GitHub", ReceivedTime: at(n), StartTime: wire.At(at(n).Add(-65 * time.Second)), EndTime: at(n),
		Complete: true, SiteName: "scale", HostName: slot,
	}
}

// jobRun returns the nth run of the job nightly.
func jobRun(n int, status kudu.JobStatus) kudu.TriggeredJobRun {
	id := fmt.Sprintf("20260304050%d071234", n)
	return kudu.TriggeredJobRun{
		ID: id, Name: id, Status: status, StartTime: at(n), EndTime: at(n), TimeSpan: "00:01:05.4228729",
		OutputURL: wire.Some("https://" + slot + "/vfs/data/jobs/triggered/nightly/" + id + "/output_log.txt"),
		URL:       "https://" + slot + "/api/triggeredwebjobs/nightly/history/" + id,
		JobName:   "nightly", Trigger: wire.Some("Schedule - 0 0 3 * * *"),
	}
}

// deploy makes the site publish a deployment and checks that the program accepts
// it, after the challenge that Kudu requires.
func (r *rig) deploy(t *testing.T, d kudu.Deployment) {
	t.Helper()
	r.publish(t, kudu.EventPostDeployment, d)
}

func (r *rig) publish(t *testing.T, event string, content any) {
	t.Helper()
	got, err := r.site.Publish(t.Context(), event, content)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d hooks were called: %v", len(got), err)
	}
	if diff := cmp.Diff([]int{401, 202}, got[0].Result.Attempts[0].Statuses); diff != "" || *got[0].Hook.LastStatus != "Accepted" {
		t.Fatalf("the last status is %s; statuses (-want +got):\n%s", *got[0].Hook.LastStatus, diff)
	}
}

func TestFailedDeploymentNotifiesAllTargets(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-slack-channel", "#deploys", "-smtp-to", "Ops <ops@example.com>, dev@example.com")
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))

	want := notice{
		What: "failure", Event: "deployment", Subject: slot, ID: "9f2c4f3c1", Status: "failed", Author: "Kim <!channel> Poe",
		Message: "Fix login & more\n\nSee ```log```", Took: "1m5s", Ended: at(1).Time, URL: "https://" + slot, Channel: "#deploys",
	}
	got := next(t, r.urlTarget.accepted)
	var n notice
	if err := json.Unmarshal(got.body, &n); err != nil || got.path != "/notify?key=plain-s3cret" || got.id == "" {
		t.Errorf("%v: posted to %s with id %q: %s", err, got.path, got.id, got.body)
	}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Errorf("the URL received (-want +got):\n%s", diff)
	}

	text := func(s string) *slackText { return &slackText{"mrkdwn", s} }
	wantSlack := slackBody{
		Channel: "#deploys", Text: ":warning: " + slot + ": deployment failed",
		Blocks: []slackBlock{
			{Type: "header", Text: &slackText{"plain_text", ":warning: " + slot + ": deployment failed"}},
			{Type: "section", Text: text("```Fix login &amp; more\n\nSee '''log'''```")},
			{Type: "section", Fields: []slackText{
				*text("*Status*\nfailed"), *text("*By*\nKim &lt;!channel&gt; Poe"), *text("*Ended*\n2026-03-04 05:01:07 UTC"),
				*text("*Took*\n1m5s"), *text("*Id*\n9f2c4f3c1"),
			}},
			{Type: "context", Elements: []slackText{*text("https://" + slot)}},
		},
	}
	if diff := cmp.Diff(wantSlack, r.slack.message(t)); diff != "" {
		t.Errorf("Slack received (-want +got):\n%s", diff)
	}

	var to, ids []string
	for range 2 {
		m := next(t, r.mail.accepted)
		to, ids = append(to, m.to...), append(ids, m.mail.Header.Get("Message-Id"))
		if !m.tls || m.from != "kudu@example.com" || !strings.Contains(m.mail.Header.Get("To"), m.to[0]) {
			t.Errorf("mail from %s to %s with To: %q, over TLS: %v", m.from, m.to, m.mail.Header.Get("To"), m.tls)
		}
		if got := m.mail.Header.Get("Subject"); got != slot+": deployment failed" {
			t.Errorf("subject %q", got)
		}
		for _, line := range []string{"Status: failed", "By:     Kim <!channel> Poe", "Fix login & more", "https://" + slot} {
			if !strings.Contains(m.text, line) {
				t.Errorf("the mail does not contain %q:\n%s", line, m.text)
			}
		}
	}
	slices.Sort(to)
	if !slices.Equal(to, []string{"dev@example.com", "ops@example.com"}) || ids[0] == ids[1] || !messageID.MatchString(ids[0]) {
		t.Errorf("mail to %s with ids %s", to, ids)
	}
	p.stop(t)
}

var messageID = regexp.MustCompile(`^<[0-9A-Za-z-]+-mail-[0-9a-f]{16}@kudu-notify>$`)

func TestRules(t *testing.T) {
	t.Parallel()
	ends := []kudu.Status{kudu.StatusSuccess, kudu.StatusFailed, kudu.StatusFailed, kudu.StatusSuccess, kudu.StatusSuccess, kudu.StatusFailed, kudu.StatusSuccess}
	for on, want := range map[string][]string{
		"failure":                  {"1 failure", "2 failure", "5 failure"},
		"recovery":                 {"3 recovery", "6 recovery"},
		"failure,recovery":         {"1 failure", "2 failure", "3 recovery", "5 failure", "6 recovery"},
		"success":                  {"0 success", "3 recovery", "4 success", "6 recovery"},
		"failure,recovery,success": {"0 success", "1 failure", "2 failure", "3 recovery", "4 success", "5 failure", "6 recovery"},
	} {
		t.Run(on, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "-on", on)
			p := r.start(t)
			for n, status := range ends {
				r.deploy(t, deployment(n, status))
			}
			var got []string
			for range want {
				n := r.urlTarget.notice(t)
				got = append(got, strings.TrimPrefix(n.ID, "9f2c4f3c")+" "+n.What)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			p.stop(t)
		})
	}
}

func TestJobsAreSeparateSubjects(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	r.publish(t, kudu.EventTriggeredJobFinished, jobRun(1, kudu.JobAborted))
	got := r.urlTarget.notice(t)
	want := notice{
		What: "failure", Event: "job", Subject: slot + " nightly", ID: "202603040501071234", Status: "Aborted",
		Author: "Schedule - 0 0 3 * * *", Took: "1m5s", Ended: at(1).Time,
		URL: "https://" + slot + "/vfs/data/jobs/triggered/nightly/202603040501071234/output_log.txt",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	// A success of the site or of another job is not a recovery of this job.
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	other := jobRun(2, kudu.JobSuccess)
	other.JobName = "hourly"
	r.publish(t, kudu.EventTriggeredJobFinished, other)
	r.publish(t, kudu.EventTriggeredJobFinished, jobRun(3, kudu.JobSuccess))
	if got := r.urlTarget.notice(t); got.What != recovery || got.Subject != slot+" nightly" || got.ID != jobRun(3, "").ID {
		t.Errorf("got notice %+v, want the recovery of nightly", got)
	}
	p.stop(t)
}

func TestSnakeCaseAndDuplicates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	snake := func(n int, status string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"id":"9f2c4f3c%d","status":%q,"status_text":"","author":"Jane","message":"m","end_time":"%s","complete":true,"site_name":"scale","host_name":%q}`,
			n, status, at(n).Text(), slot))
	}
	r.publish(t, kudu.EventPostDeployment, snake(1, "failed"))
	if got := r.urlTarget.notice(t); got.What != failure || got.Subject != slot || got.Author != "Jane" {
		t.Errorf("in snake_case: got notice %+v", got)
	}
	r.publish(t, kudu.EventPostDeployment, snake(1, "failed"))
	r.deploy(t, deployment(1, kudu.StatusFailed)) // the same in camelCase
	r.deploy(t, deployment(2, kudu.StatusPending))
	r.deploy(t, deployment(2, kudu.StatusDeploying))
	r.deploy(t, deployment(3, kudu.StatusSuccess))
	if got := r.urlTarget.notice(t); got.What != recovery || got.ID != "9f2c4f3c3" {
		t.Errorf("after duplicates: got notice %+v, want the recovery", got)
	}
	r.slack.message(t)
	if got := r.slack.message(t).Text; !strings.Contains(got, "works again") {
		t.Errorf("Slack received %q, want the recovery", got)
	}
	p.stop(t)
}
