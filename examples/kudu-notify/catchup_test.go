package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
)

// newMissedRig returns a rig whose program has looked at a deployment and a run of
// nightly, and is stopped.
func newMissedRig(t *testing.T, args ...string) *rig {
	t.Helper()
	r := newRig(t, append([]string{"-job", "nightly", "-on", "failure,success"}, args...)...)
	r.env = append(r.env, "SLACK_WEBHOOK_URL=")
	r.site.Now = func() time.Time { return at(9).Time } // what ended long ago by its clock is not looked at
	r.site.RecordRun(jobRun(1, kudu.JobSuccess))
	r.site.Record(r.deployment(1, kudu.StatusSuccess))
	p := r.start(t)
	r.looked(t, 2)
	p.stop(t)
	return r
}

// looked waits until n targets were looked at for the first time of all.
func (r *rig) looked(t *testing.T, n int) {
	t.Helper()
	s, err := openStore(t.Context(), r.args[slices.Index(r.args, "-db")+1])
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for got, late := 0, time.After(waitTimeout); got < n; {
		select {
		case <-late:
			t.Fatalf("timeout: %d of %d targets were looked at", got, n)
		case <-tick.C:
		}
		if err := s.db.QueryRowContext(t.Context(), "SELECT count(*) FROM hookhouse_cursors").Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
}

// deployment returns the nth deployment of the site. Calls name the host of -site, as what
// is read from there does.
func (r *rig) deployment(n int, status kudu.Status) kudu.Deployment {
	d := deployment(n, status)
	d.HostName = strings.TrimPrefix(r.siteURL, "http://")
	return d
}

// miss makes the site call the hooks for a deployment or a run of a job while the program
// is stopped.
func (r *rig) miss(t *testing.T, event any) {
	t.Helper()
	var err error
	switch e := event.(type) {
	case kudu.Deployment:
		_, err = r.site.Deploy(t.Context(), e)
	case kudu.TriggeredJobRun:
		_, err = r.site.FinishJob(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestMissedEventsAreNotifiedOfOnce(t *testing.T) {
	t.Parallel()
	r := newMissedRig(t, "-slack-channel", "#deploys")
	r.miss(t, r.deployment(2, kudu.StatusFailed))
	r.miss(t, jobRun(2, kudu.JobFailed))
	p := r.start(t)
	got := make(map[string]notice)
	for range 2 {
		n := r.urlTarget.notice(t)
		got[n.Event] = n
	}
	d, run := got["deployment"], got["job"]
	if d.ID != deployment(2, "").ID || d.What != failure || d.Late || run.ID != jobRun(2, "").ID || run.What != failure {
		t.Errorf("got %+v, want the missed deployment and run", got)
	}
	if d.Channel != "#deploys" {
		t.Errorf("the channel of what was missed is %q, want that of -slack-channel", d.Channel)
	}
	p.stop(t)

	p = r.start(t)
	r.deploy(t, r.deployment(3, kudu.StatusSuccess))
	if n := r.urlTarget.notice(t); n.ID != deployment(3, "").ID || n.What != recovery {
		t.Errorf("after another start: got %+v, want deployment 3 only", n)
	}
	p.stop(t)
	if left := len(r.urlTarget.accepted); left > 0 {
		t.Errorf("%d notices were sent twice", left)
	}
}

func TestLateOutcomeIsNotThePresentOne(t *testing.T) {
	t.Parallel()
	r := newMissedRig(t)
	r.miss(t, r.deployment(2, kudu.StatusFailed))
	r.siteStatus.Store(http.StatusServiceUnavailable)
	p := r.startUntil(t, `msg="catch-up fails`)
	r.deploy(t, r.deployment(3, kudu.StatusSuccess))
	if n := r.urlTarget.notice(t); n.ID != deployment(3, "").ID || n.What != success {
		t.Errorf("got %+v, want deployment 3", n)
	}
	r.siteStatus.Store(0)
	if n := r.urlTarget.notice(t); n.ID != deployment(2, "").ID || n.What != failure || !n.Late {
		t.Errorf("got %+v, want deployment 2, late", n)
	}
	r.deploy(t, r.deployment(4, kudu.StatusSuccess))
	if n := r.urlTarget.notice(t); n.What != success {
		t.Errorf("got %+v, want no recovery: deployment 3 was one", n)
	}
	p.stop(t)
}

func TestDeniedCatchUpIsSaidOncePerTarget(t *testing.T) {
	t.Parallel()
	r := newMissedRig(t)
	r.siteStatus.Store(http.StatusUnauthorized)
	p := r.startUntil(t, `msg="catch-up fails`)
	p.waitForLog(t, `msg="catch-up fails`)
	r.deploy(t, r.deployment(2, kudu.StatusFailed))
	r.urlTarget.notice(t)
	p.stop(t)
	if got := strings.Count(p.log.String(), "catch-up fails"); got != 2 {
		t.Errorf("the failures of 2 targets were logged %d times:\n%s", got, p.log)
	}
}

// The metrics have each CatchUp that the program runs, from its start on, before its first
// request.
func TestWhatIsNotLookedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		lines  int      // of the log
		looked []string // the targets that are looked at
	}{
		{"no job", nil, 1, []string{"deployments"}},
		{"a job", []string{"-job", "nightly"}, 0, []string{"deployments", "WebJob nightly"}},
		{"left out", []string{"-job", "nightly", "-catch-up=false"}, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tt.args...)
			r.site.RecordRun(jobRun(1, kudu.JobSuccess))
			p := r.start(t)
			const looks = "hookhouse_catchup_looks_total{"
			for _, target := range tt.looked {
				p.waitForMetric(t, looks+`target="`+strings.TrimPrefix(r.siteURL, "http://")+" "+target+`"} 1`)
			}
			if got := p.metrics(t); strings.Count(got, looks) != len(tt.looked) {
				t.Errorf("the metrics have other targets than %q:\n%s", tt.looked, got)
			}
			p.stop(t)
			if got := strings.Count(p.log.String(), `msg="missed runs of WebJobs are not looked for: set -job"`); got != tt.lines {
				t.Errorf("%d lines say what is missing, want %d:\n%s", got, tt.lines, p.log)
			}
			asked := 0
			for _, call := range r.site.Calls() {
				if !strings.HasPrefix(call.Path, "/api/hooks") {
					asked++
				}
			}
			if asked != len(tt.looked) {
				t.Errorf("%d lists were read, want %d", asked, len(tt.looked))
			}
		})
	}
}
