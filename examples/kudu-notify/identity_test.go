package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// runAt returns the nth run of the job nightly with its URL at a host, or without
// a URL if host is empty.
func runAt(n int, status kudu.JobStatus, host string) kudu.TriggeredJobRun {
	r := jobRun(n, status)
	r.URL, r.OutputURL = strings.Replace(r.URL, slot, host, 1), wire.Optional[string]{}
	if host == "" {
		r.URL = ""
	}
	return r
}

// deliver sends a request as a hook that was created by hand does.
func (p *process) deliver(t *testing.T, query string, content any) {
	t.Helper()
	body, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	path := "/hooks/kudu/jobs" + query
	if _, ok := content.(kudu.TriggeredJobRun); !ok {
		path = "/hooks/kudu/deployments" + query
	}
	sender := webhooktest.Kudu{}
	target := strings.Replace(p.url, "http://", "http://any:"+hookPassword+"@", 1) + path
	if got := sender.Deliver(t.Context(), target, body); !got.Delivered || got.Attempts[0].Status != 202 {
		t.Fatalf("%s: %+v", target, got)
	}
}

// nextSummaries returns the next n notices, each as its What and the number of its
// run.
func (rc *fakeTarget) nextSummaries(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		next := rc.notice(t)
		all = append(all, next.What+" "+next.ID[len("20260304050"):len("20260304050")+1])
	}
	return all
}

func TestRecoveryIsFoundDespiteDifferentURLs(t *testing.T) {
	t.Parallel()
	const upper, lower = "App.scm.azurewebsites.net", "app.scm.azurewebsites.net"
	for name, hosts := range map[string][2]string{
		"the failure has no URL":              {"", lower},
		"the success has no URL":              {lower, ""},
		"the failure has its URL in capitals": {upper, lower},
		"the success has its URL in capitals": {lower, upper},
		"both have a URL":                     {lower, lower},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := []string{"failure 1", "recovery 2", "failure 3", "recovery 4"}
			ends := []kudu.JobStatus{kudu.JobFailed, kudu.JobSuccess, kudu.JobFailed, kudu.JobSuccess}
			for which, publish := range map[string]func(*rig, *process, kudu.TriggeredJobRun){
				"the program's own hook": func(r *rig, _ *process, run kudu.TriggeredJobRun) { r.publish(t, kudu.EventTriggeredJobFinished, run) },
				"a hook created by hand": func(_ *rig, p *process, run kudu.TriggeredJobRun) { p.deliver(t, "", run) },
				"a hook with its site":   func(_ *rig, p *process, run kudu.TriggeredJobRun) { p.deliver(t, "?site=app", run) },
				"a site in two spellings": func(_ *rig, p *process, run kudu.TriggeredJobRun) {
					p.deliver(t, "?site="+[]string{"App", "app"}[run.EndTime.Minute()%2], run)
				},
			} {
				r := newRig(t)
				p := r.start(t)
				for i, status := range ends {
					publish(r, p, runAt(i+1, status, hosts[i%2]))
				}
				if diff := cmp.Diff(want, r.urlTarget.nextSummaries(t, len(want))); diff != "" {
					t.Errorf("%s: notices (-want +got):\n%s", which, diff)
				}
				p.stop(t)
			}
		})
	}
}

func TestRecoveryBelongsToSameSite(t *testing.T) {
	t.Parallel()
	const a, b = "a.scm.azurewebsites.net", "b.scm.azurewebsites.net"
	for _, tc := range []struct {
		name          string
		queryA, hostA string
		queryB, hostB string
		ofB, ofA      string // notices of the successes after the failure of a; empty if there is none
	}{
		{"both hooks name their site", "?site=a", "", "?site=b", "", "", "recovery 3"},
		{"one hook names its site", "", "", "?site=b", "", "", "success 3"},
		{"the runs name their hosts", "", a, "", b, "", "recovery 3"},
		{"nothing names the sites", "", "", "", "", "success 2", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.start(t)
			p.deliver(t, tc.queryA, runAt(1, kudu.JobFailed, tc.hostA))
			p.deliver(t, tc.queryB, runAt(2, kudu.JobSuccess, tc.hostB))
			p.deliver(t, tc.queryA, runAt(3, kudu.JobSuccess, tc.hostA))
			p.deliver(t, tc.queryA, runAt(4, kudu.JobFailed, tc.hostA))
			var want []string
			for _, one := range []string{"failure 1", tc.ofB, tc.ofA, "failure 4"} {
				if one != "" {
					want = append(want, one)
				}
			}
			if diff := cmp.Diff(want, r.urlTarget.nextSummaries(t, len(want))); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			p.stop(t)
		})
	}
}

func TestDeploymentWithoutSiteUsesSiteOfHook(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	wiki := func(n int, status kudu.Status) kudu.Deployment {
		d := deployment(n, status)
		d.SiteName, d.HostName, d.ReceivedTime = "", "", wire.Time{}
		return d
	}
	site := strings.TrimPrefix(r.siteURL, "http://")
	r.deploy(t, wiki(1, kudu.StatusFailed))
	if got := r.urlTarget.notice(t); got.What != failure || got.Subject != site {
		t.Errorf("got notice %+v, want the failure of %s", got, site)
	}
	p.deliver(t, "", wiki(2, kudu.StatusSuccess)) // the site is unknown
	r.deploy(t, wiki(3, kudu.StatusSuccess))
	if got := r.urlTarget.notice(t); got.What != recovery || got.Subject != site || got.ID != "9f2c4f3c3" {
		t.Errorf("got notice %+v, want the recovery of %s", got, site)
	}
	p.deliver(t, "", wiki(4, kudu.StatusFailed))
	if got := r.urlTarget.notice(t); got.What != failure || got.Subject != "unknown site" {
		t.Errorf("got notice %+v, want the failure of an unknown site", got)
	}
	p.deliver(t, "", wiki(5, kudu.StatusSuccess))
	if got := r.urlTarget.notice(t); got.What != success || got.ID != "9f2c4f3c5" {
		t.Errorf("got notice %+v, want a success: it may be another site", got)
	}
	p.stop(t)
}
