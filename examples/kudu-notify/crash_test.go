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

func TestATargetThatIsDownIsToldLaterAndTheOthersOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	r.slack.status.Store(http.StatusServiceUnavailable)
	r.mail.busy.Store(true)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	for _, id := range []string{"9f2c4f3c1", "9f2c4f3c2"} {
		if got := r.plain.notice(t); got.ID != id {
			t.Errorf("the URL was told of %s, want %s", got.ID, id)
		}
	}
	for range 3 {
		next(t, r.slack.tried)
		next(t, r.mail.tried)
	}
	if len(r.slack.got) > 0 || len(r.mail.got) > 0 {
		t.Error("told although it was down")
	}
	r.slack.status.Store(0)
	r.mail.busy.Store(false)
	for _, want := range []string{"failed", "works again"} { // in order
		if got := r.slack.message(t).Text; !strings.Contains(got, want) {
			t.Errorf("Slack was told %q, want %q", got, want)
		}
		if got := next(t, r.mail.got).mail.Header.Get("Subject"); !strings.Contains(got, want) {
			t.Errorf("mail of %q, want %q", got, want)
		}
	}
	// Nothing of the first two came once more, anywhere.
	r.deploy(t, deployment(3, kudu.StatusFailed))
	if got := r.plain.notice(t); got.ID != "9f2c4f3c3" {
		t.Errorf("the URL was told of %s", got.ID)
	}
	if got := r.slack.message(t); !strings.Contains(fmt.Sprint(got), "9f2c4f3c3") {
		t.Errorf("Slack was told %v", got)
	}
	if got := next(t, r.mail.got); !strings.Contains(got.text, "9f2c4f3c3") {
		t.Errorf("mail of %s", got.text)
	}
	p.stop(t)
}

func TestATargetThatHangsKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	closed := &gate{make(chan struct{}, 1000), make(chan struct{})}
	open := sync.OnceFunc(func() { close(closed.open) })
	t.Cleanup(open) // the server's end waits for its calls
	r.slack.gate.Store(closed)
	p := r.start(t)
	const jobs = 40 // more than anybody works on at once
	for n := range jobs {
		run := jobRun(n%10, kudu.JobFailed)
		run.JobName = fmt.Sprintf("job%d", n)
		r.publish(t, kudu.EventTriggeredJobFinished, run)
	}
	for range jobs {
		r.plain.notice(t)
		next(t, r.mail.got)
	}
	if len(r.slack.got) > 0 {
		t.Error("Slack did not hang")
	}
	open()
	for range jobs {
		r.slack.message(t)
	}
	p.stop(t)
}

func TestWhatWasTakenIsToldAfterAKill(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	for _, target := range []*receiver{r.slack, r.plain} {
		target.status.Store(http.StatusBadGateway)
	}
	r.mail.busy.Store(true)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	p.kill(t) // before or after it was decided, and before anybody was told
	for _, target := range []*receiver{r.slack, r.plain} {
		target.status.Store(0)
	}
	r.mail.busy.Store(false)
	p = r.start(t)
	if got := r.plain.notice(t); got.ID != "9f2c4f3c1" || got.What != failure {
		t.Errorf("told %+v", got)
	}
	r.slack.message(t)
	next(t, r.mail.got)
	// What was last is known too.
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	if got := r.plain.notice(t); got.What != recovery || got.ID != "9f2c4f3c2" {
		t.Errorf("told %+v, want the recovery", got)
	}
	p.stop(t)
}

func TestWhatIsUnderWayAtSIGTERMIsFinished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	closed := &gate{make(chan struct{}, 1000), make(chan struct{})}
	r.plain.gate.Store(closed)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	next(t, closed.arrived)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for alive := true; alive; { // until it takes no more calls
		res, err := http.Get(p.url + "/healthz")
		if alive = err == nil; alive {
			res.Body.Close()
		}
	}
	close(closed.open)
	r.plain.notice(t)
	p.wait(t)

	r.plain.gate.Store(nil)
	p = r.start(t)
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	if got := r.plain.notice(t); got.ID != "9f2c4f3c2" {
		t.Errorf("told of %s once more", got.ID)
	}
	p.stop(t)
}
