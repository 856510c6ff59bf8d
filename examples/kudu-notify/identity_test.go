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

// runAt is the nth of the job nightly with its URL at a host; none: without URL.
func runAt(n int, status kudu.JobStatus, host string) kudu.TriggeredJobRun {
	r := jobRun(n, status)
	r.URL, r.OutputURL = strings.Replace(r.URL, slot, host, 1), wire.Optional[string]{}
	if host == "" {
		r.URL = ""
	}
	return r
}

// call calls the program as a hook that was made by hand does.
func (p *process) call(t *testing.T, query string, content any) {
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

// told are the next notices, as what and id.
func (rc *receiver) told(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		next := rc.notice(t)
		all = append(all, next.What+" "+next.ID[len("20260304050"):len("20260304050")+1])
	}
	return all
}

func TestTheRecoveryOfAJobIsToldWhateverItsURLs(t *testing.T) {
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
				"its own hook":    func(r *rig, _ *process, run kudu.TriggeredJobRun) { r.publish(t, kudu.EventTriggeredJobFinished, run) },
				"a hook by hand":  func(_ *rig, p *process, run kudu.TriggeredJobRun) { p.call(t, "", run) },
				"one with a name": func(_ *rig, p *process, run kudu.TriggeredJobRun) { p.call(t, "?site=app", run) },
				"one in two cases": func(_ *rig, p *process, run kudu.TriggeredJobRun) {
					p.call(t, "?site="+[]string{"App", "app"}[run.EndTime.Minute()%2], run)
				},
			} {
				r := newRig(t)
				p := r.start(t)
				for i, status := range ends {
					publish(r, p, runAt(i+1, status, hosts[i%2]))
				}
				if diff := cmp.Diff(want, r.plain.told(t, len(want))); diff != "" {
					t.Errorf("%s: told (-want +got):\n%s", which, diff)
				}
				p.stop(t)
			}
		})
	}
}

func TestARecoveryIsNoOtherSites(t *testing.T) {
	t.Parallel()
	const a, b = "a.scm.azurewebsites.net", "b.scm.azurewebsites.net"
	for _, tc := range []struct {
		name          string
		queryA, hostA string
		queryB, hostB string
		ofB, ofA      string // what is told of the successes after the failure of a; empty: nothing
	}{
		{"both hooks name their site", "?site=a", "", "?site=b", "", "", "recovery 3"},
		{"one hook names its site", "", "", "?site=b", "", "", "success 3"},
		{"the hosts tell", "", a, "", b, "", "recovery 3"},
		{"nothing tells", "", "", "", "", "success 2", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.start(t)
			p.call(t, tc.queryA, runAt(1, kudu.JobFailed, tc.hostA))
			p.call(t, tc.queryB, runAt(2, kudu.JobSuccess, tc.hostB))
			p.call(t, tc.queryA, runAt(3, kudu.JobSuccess, tc.hostA))
			p.call(t, tc.queryA, runAt(4, kudu.JobFailed, tc.hostA))
			var want []string
			for _, one := range []string{"failure 1", tc.ofB, tc.ofA, "failure 4"} {
				if one != "" {
					want = append(want, one)
				}
			}
			if diff := cmp.Diff(want, r.plain.told(t, len(want))); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			p.stop(t)
		})
	}
}

func TestADeploymentThatTellsNoSiteIsOfTheSiteOfItsHook(t *testing.T) {
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
	if got := r.plain.notice(t); got.What != failure || got.Subject != site {
		t.Errorf("told %+v, want the failure of %s", got, site)
	}
	p.call(t, "", wiki(2, kudu.StatusSuccess)) // of some site
	r.deploy(t, wiki(3, kudu.StatusSuccess))
	if got := r.plain.notice(t); got.What != recovery || got.Subject != site || got.ID != "9f2c4f3c3" {
		t.Errorf("told %+v, want the recovery of %s", got, site)
	}
	p.call(t, "", wiki(4, kudu.StatusFailed))
	if got := r.plain.notice(t); got.What != failure || got.Subject != "unknown site" {
		t.Errorf("told %+v, want the failure of an unknown site", got)
	}
	p.call(t, "", wiki(5, kudu.StatusSuccess))
	if got := r.plain.notice(t); got.What != success || got.ID != "9f2c4f3c5" {
		t.Errorf("told %+v, want a success: it need not be the same site", got)
	}
	p.stop(t)
}
