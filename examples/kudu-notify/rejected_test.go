package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
)

// metrics returns the metrics.
func (p *process) metrics(t *testing.T) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("read the metrics: %v", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read the metrics: %v", err)
	}
	return string(text)
}

// waitForMetric waits until the metrics contain a line.
func (p *process) waitForMetric(t *testing.T, line string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(waitTimeout); ; {
		text := p.metrics(t)
		if strings.Contains(text, line+"\n") {
			return
		}
		select {
		case <-late:
			t.Fatalf("timeout waiting for metric %s:\n%s", line, text)
		case <-tick.C:
		}
	}
}

func TestPermanentlyRejectedNoticeDoesNotBlock(t *testing.T) {
	t.Parallel()
	for _, status := range []int32{400, 413, 415, 422} {
		r := newRig(t)
		p := r.start(t)
		for _, target := range []*fakeTarget{r.slack, r.urlTarget} {
			target.failOnly.Store("9f2c4f3c1")
			target.status.Store(status)
		}
		r.deploy(t, deployment(1, kudu.StatusFailed))
		r.deploy(t, deployment(2, kudu.StatusFailed))
		if got := r.urlTarget.notice(t); got.ID != "9f2c4f3c2" || got.Late {
			t.Errorf("%d: the URL received %+v, want the second one, not late", status, got)
		}
		if got := r.slack.message(t).Text; !strings.Contains(got, "failed") {
			t.Errorf("%d: Slack received %q", status, got)
		}
		next(t, r.mail.accepted)
		next(t, r.mail.accepted)
		for _, typ := range []string{"notify.slack", "notify.url"} {
			p.waitForMetric(t, `hookhouse_attempts_total{state="dead",type="`+typ+`"} 1`)
		}
		if tried := len(r.urlTarget.requests); tried != 2 {
			t.Errorf("%d: %d requests for two notices", status, tried)
		}
		p.stop(t)
		if !strings.Contains(p.log.String(), "delivery is dead") || !strings.Contains(p.log.String(), "reason=\"status ") {
			t.Errorf("the log does not contain the reason:\n%s", p.log)
		}
	}
}

func TestFailingNoticeIsOvertaken(t *testing.T) {
	t.Parallel()
	for _, status := range []int32{401, 403, 404, 410, 500} { // failures that can be fixed
		r := newRig(t, "-block-timeout", "0s")
		p := r.start(t)
		r.slack.failOnly.Store("9f2c4f3c1")
		r.slack.status.Store(status)
		r.deploy(t, deployment(1, kudu.StatusFailed))
		next(t, r.slack.requests)
		r.deploy(t, deployment(2, kudu.StatusSuccess))
		if got, want := r.slack.message(t).Text, slot+": deployment works again"; !strings.HasSuffix(got, want) {
			t.Errorf("%d: Slack received %q, want %q", status, got, want)
		}
		r.slack.status.Store(0)
		if got, want := r.slack.message(t).Text, slot+": deployment failed (sent late)"; !strings.HasSuffix(got, want) {
			t.Errorf("%d: Slack received %q, want %q", status, got, want)
		}
		p.stop(t)
	}
}

func TestFailingNoticeBlocksRecovery(t *testing.T) {
	t.Parallel()
	r := newRig(t) // the default block timeout is 10 min
	p := r.start(t)
	r.slack.failOnly.Store("9f2c4f3c1")
	r.slack.status.Store(http.StatusNotFound)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	for range 4 {
		next(t, r.slack.requests)
	}
	if len(r.slack.accepted) > 0 {
		t.Fatalf("Slack received %s first", next(t, r.slack.accepted).body)
	}
	r.slack.status.Store(0)
	for _, want := range []string{"failed", "works again"} {
		if got := r.slack.message(t).Text; !strings.HasSuffix(got, want) {
			t.Errorf("Slack received %q, want %q", got, want)
		}
	}
	p.stop(t)
}

func TestBlockedNoticeIsSentAfterBlockTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-block-timeout", "5s", "-retry", "10m") // the retry delay exceeds waitTimeout
	p := r.start(t)
	r.slack.failOnly.Store("9f2c4f3c1")
	r.slack.status.Store(http.StatusNotFound)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	if got := r.slack.message(t).Text; !strings.HasSuffix(got, "works again") {
		t.Errorf("Slack received %q", got)
	}
	p.stop(t)
}

func TestRejectedRecipientDoesNotAffectOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-smtp-to", "gone@example.com, full@example.com, ops@example.com")
	r.mail.reject.Store("gone@example.com", 550)
	r.mail.reject.Store("full@example.com", 452)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusFailed))
	for _, id := range []string{"9f2c4f3c1", "9f2c4f3c2"} {
		if got := next(t, r.mail.accepted); got.to[0] != "ops@example.com" || !strings.Contains(got.text, id) {
			t.Errorf("mail to %s, want it to ops@example.com: %s", got.to, got.text)
		}
	}
	p.waitForMetric(t, `hookhouse_attempts_total{state="dead",type="notify.mail"} 2`)
	r.mail.reject.Delete("full@example.com")
	for _, id := range []string{"9f2c4f3c1", "9f2c4f3c2"} { // in order
		if got := next(t, r.mail.accepted); got.to[0] != "full@example.com" || !strings.Contains(got.text, id) {
			t.Errorf("mail to %s, want it to full@example.com: %s", got.to, got.text)
		}
	}
	p.waitForMetric(t, `hookhouse_attempts_total{state="done",type="notify.mail"} 4`)
	if len(r.mail.accepted) > 0 {
		t.Errorf("one more mail to %s", next(t, r.mail.accepted).to)
	}
	p.stop(t)
	if !strings.Contains(p.log.String(), `recipient: 550 \"5.1.1 not this one\"`) {
		t.Errorf("the log does not contain the reason:\n%s", p.log)
	}
}

func TestAcceptedMailIsNotSentAgainAfterDisconnect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mail.closeAfterMail.Store(true)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	next(t, r.mail.accepted)
	p.waitForMetric(t, `hookhouse_attempts_total{state="done",type="notify.mail"} 1`)
	if len(r.mail.accepted) > 0 {
		t.Error("the mail was sent again")
	}
	p.stop(t)
}

func TestRemovedRecipientIsIgnored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mail.reject.Store("ops@example.com", 452)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	next(t, r.mail.attempts)
	p.stop(t)
	r.args = append(r.args, "-smtp-to", "new@example.com")
	p = r.start(t)
	p.waitForMetric(t, `hookhouse_attempts_total{state="ignored",type="notify.mail"} 1`)
	r.deploy(t, deployment(2, kudu.StatusFailed))
	if got := next(t, r.mail.accepted); got.to[0] != "new@example.com" || !strings.Contains(got.text, "9f2c4f3c2") {
		t.Errorf("mail to %s: %s", got.to, got.text)
	}
	p.stop(t)
}
