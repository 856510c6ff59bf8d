package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
)

func TestUnavailableTargetsAreRetried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	r.slack.status.Store(http.StatusServiceUnavailable)
	r.mail.busy.Store(true)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	for _, id := range []string{"9f2c4f3c1", "9f2c4f3c2"} {
		if got := r.urlTarget.notice(t); got.ID != id {
			t.Errorf("the URL received %s, want %s", got.ID, id)
		}
	}
	for range 3 {
		next(t, r.slack.requests)
		next(t, r.mail.attempts)
	}
	if len(r.slack.accepted) > 0 || len(r.mail.accepted) > 0 {
		t.Error("an unavailable target accepted a notice")
	}
	r.slack.status.Store(0)
	r.mail.busy.Store(false)
	for _, want := range []string{"failed", "works again"} { // in order
		if got := r.slack.message(t).Text; !strings.Contains(got, want) {
			t.Errorf("Slack received %q, want %q", got, want)
		}
		if got := next(t, r.mail.accepted).mail.Header.Get("Subject"); !strings.Contains(got, want) {
			t.Errorf("mail of %q, want %q", got, want)
		}
	}
	// No target gets the first two notices again.
	r.deploy(t, deployment(3, kudu.StatusFailed))
	if got := r.urlTarget.notice(t); got.ID != "9f2c4f3c3" {
		t.Errorf("the URL received %s", got.ID)
	}
	if got := r.slack.message(t); !strings.Contains(fmt.Sprint(got), "9f2c4f3c3") {
		t.Errorf("Slack received %v", got)
	}
	if got := next(t, r.mail.accepted); !strings.Contains(got.text, "9f2c4f3c3") {
		t.Errorf("mail of %s", got.text)
	}
	p.stop(t)
}

func TestHangingTargetDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	closed := &gate{make(chan struct{}, 1000), make(chan struct{})}
	open := sync.OnceFunc(func() { close(closed.open) })
	t.Cleanup(open) // closing the server waits for its requests
	r.slack.gate.Store(closed)
	p := r.start(t)
	const jobs = 40 // more than a worker runs at the same time
	for n := range jobs {
		run := jobRun(n%10, kudu.JobFailed)
		run.JobName = fmt.Sprintf("job%d", n)
		r.publish(t, kudu.EventTriggeredJobFinished, run)
	}
	for range jobs {
		r.urlTarget.notice(t)
		next(t, r.mail.accepted)
	}
	if len(r.slack.accepted) > 0 {
		t.Error("Slack did not hang")
	}
	open()
	for range jobs {
		r.slack.message(t)
	}
	p.stop(t)
}

func TestAcceptedEventSurvivesKill(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	for _, target := range []*fakeTarget{r.slack, r.urlTarget} {
		target.status.Store(http.StatusBadGateway)
	}
	r.mail.busy.Store(true)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	p.kill(t) // before or after the dispatch, and before any target accepts
	for _, target := range []*fakeTarget{r.slack, r.urlTarget} {
		target.status.Store(0)
	}
	r.mail.busy.Store(false)
	p = r.start(t)
	if got := r.urlTarget.notice(t); got.ID != "9f2c4f3c1" || got.What != failure {
		t.Errorf("got notice %+v", got)
	}
	r.slack.message(t)
	next(t, r.mail.accepted)
	// The previous outcome survives too.
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	if got := r.urlTarget.notice(t); got.What != recovery || got.ID != "9f2c4f3c2" {
		t.Errorf("got notice %+v, want the recovery", got)
	}
	p.stop(t)
}

func TestSIGTERMFinishesRunningRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	closed := &gate{make(chan struct{}, 1000), make(chan struct{})}
	r.urlTarget.gate.Store(closed)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	next(t, closed.arrived)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for alive := true; alive; { // until the program accepts no more connections
		res, err := http.Get(p.url + "/healthz")
		if alive = err == nil; alive {
			res.Body.Close()
		}
	}
	close(closed.open)
	r.urlTarget.notice(t)
	p.wait(t)

	r.urlTarget.gate.Store(nil)
	p = r.start(t)
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	if got := r.urlTarget.notice(t); got.ID != "9f2c4f3c2" {
		t.Errorf("the URL received %s again", got.ID)
	}
	p.stop(t)
}
