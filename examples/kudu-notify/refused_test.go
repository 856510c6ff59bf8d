package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// counts waits until the metrics have a line.
func (p *process) counts(t *testing.T, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("never counted %s: %v", line, err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil && strings.Contains(string(text), line+"\n") {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("never counted %s:\n%s", line, text)
		case <-tick.C:
		}
	}
}

func TestANoticeThatIsRefusedForGoodHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	for _, status := range []int32{400, 413, 415, 422} {
		r := newRig(t)
		p := r.start(t)
		for _, target := range []*receiver{r.slack, r.plain} {
			target.only.Store("9f2c4f3c1")
			target.status.Store(status)
		}
		r.deploy(t, deployment(1, kudu.StatusFailed))
		r.deploy(t, deployment(2, kudu.StatusFailed))
		if got := r.plain.notice(t); got.ID != "9f2c4f3c2" || got.Late {
			t.Errorf("%d: the URL was told %+v, want the second, in time", status, got)
		}
		if got := r.slack.message(t).Text; !strings.Contains(got, "failed") {
			t.Errorf("%d: Slack was told %q", status, got)
		}
		next(t, r.mail.got)
		next(t, r.mail.got)
		for _, typ := range []string{"notify.slack", "notify.url"} {
			p.counts(t, `hookhouse_deliveries{state="dead",type="`+typ+`"} 1`)
		}
		if tried := len(r.plain.tried); tried != 2 {
			t.Errorf("%d: two notices were tried %d times", status, tried)
		}
		p.stop(t)
		if !strings.Contains(p.log.String(), "delivery is dead") || !strings.Contains(p.log.String(), "reason=\"status ") {
			t.Errorf("the log does not tell why:\n%s", p.log)
		}
	}
}

func TestANoticeThatDoesNotGetThroughIsPassedAndToldLate(t *testing.T) {
	t.Parallel()
	for _, status := range []int32{401, 403, 404, 410, 500} { // what may be mended
		r := newRig(t, "-hold", "0s")
		p := r.start(t)
		r.slack.only.Store("9f2c4f3c1")
		r.slack.status.Store(status)
		r.deploy(t, deployment(1, kudu.StatusFailed))
		next(t, r.slack.tried)
		r.deploy(t, deployment(2, kudu.StatusSuccess))
		if got, want := r.slack.message(t).Text, slot+": deployment works again"; !strings.HasSuffix(got, want) {
			t.Errorf("%d: Slack was told %q, want %q", status, got, want)
		}
		r.slack.status.Store(0)
		if got, want := r.slack.message(t).Text, slot+": deployment failed (told late)"; !strings.HasSuffix(got, want) {
			t.Errorf("%d: Slack was told %q, want %q", status, got, want)
		}
		p.stop(t)
	}
}

func TestARecoveryIsNotToldBeforeItsFailureWhileThatIsHeld(t *testing.T) {
	t.Parallel()
	r := newRig(t) // for ten minutes
	p := r.start(t)
	r.slack.only.Store("9f2c4f3c1")
	r.slack.status.Store(http.StatusNotFound)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	for range 4 {
		next(t, r.slack.tried)
	}
	if len(r.slack.got) > 0 {
		t.Fatalf("Slack was told %s first", next(t, r.slack.got).body)
	}
	r.slack.status.Store(0)
	for _, want := range []string{"failed", "works again"} {
		if got := r.slack.message(t).Text; !strings.HasSuffix(got, want) {
			t.Errorf("Slack was told %q, want %q", got, want)
		}
	}
	p.stop(t)
}

func TestANoticeThatIsHeldIsToldWhenTheHoldIsOver(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-hold", "5s", "-retry", "10m") // whose backoff is beyond the patience of this test
	p := r.start(t)
	r.slack.only.Store("9f2c4f3c1")
	r.slack.status.Store(http.StatusNotFound)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusSuccess))
	if got := r.slack.message(t).Text; !strings.HasSuffix(got, "works again") {
		t.Errorf("Slack was told %q", got)
	}
	p.stop(t)
}

func TestAHoldSpendsFewAttemptsAndEndsInTime(t *testing.T) {
	t.Parallel()
	for _, hold := range []time.Duration{time.Second, time.Minute, 10 * time.Minute, time.Hour} {
		w := &teller{hold: hold, retry: webhook.Backoff{First: time.Second, Max: 10 * time.Minute}}
		attempt, left := 1, hold
		for ; left > 0 && attempt < 50; attempt++ {
			left -= w.pause(left, attempt)
		}
		if left != 0 {
			t.Errorf("%s: at attempt %d there is %s left of it", hold, attempt, left)
		}
		for attempt := range 50 {
			if got := w.pause(hold, attempt+1); got > hold/20 {
				t.Errorf("%s: attempt %d waits %s", hold, attempt+1, got)
				break
			}
		}
	}
}

func TestARecipientThatIsRefusedKeepsNoOtherFromBeingTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-smtp-to", "gone@example.com, full@example.com, ops@example.com")
	r.mail.refuse.Store("gone@example.com", 550)
	r.mail.refuse.Store("full@example.com", 452)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.deploy(t, deployment(2, kudu.StatusFailed))
	for _, id := range []string{"9f2c4f3c1", "9f2c4f3c2"} {
		if got := next(t, r.mail.got); got.to[0] != "ops@example.com" || !strings.Contains(got.text, id) {
			t.Errorf("mail to %s, want it to ops@example.com: %s", got.to, got.text)
		}
	}
	p.counts(t, `hookhouse_deliveries{state="dead",type="notify.mail"} 2`)
	r.mail.refuse.Delete("full@example.com")
	for _, id := range []string{"9f2c4f3c1", "9f2c4f3c2"} { // in order
		if got := next(t, r.mail.got); got.to[0] != "full@example.com" || !strings.Contains(got.text, id) {
			t.Errorf("mail to %s, want it to full@example.com: %s", got.to, got.text)
		}
	}
	p.counts(t, `hookhouse_deliveries{state="done",type="notify.mail"} 4`)
	if len(r.mail.got) > 0 {
		t.Errorf("one more mail to %s", next(t, r.mail.got).to)
	}
	p.stop(t)
	if !strings.Contains(p.log.String(), "not this one\\\", affected recipient(s): <gone@example.com>") {
		t.Errorf("the log does not tell why:\n%s", p.log)
	}
}

func TestAMailThatWasTakenIsNotSentAgainWhenTheServerThenHangsUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mail.hangsUp.Store(true)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	next(t, r.mail.got)
	p.counts(t, `hookhouse_deliveries{state="done",type="notify.mail"} 1`)
	if len(r.mail.got) > 0 {
		t.Error("it was sent again")
	}
	p.stop(t)
}

func TestARecipientThatIsNoLongerOneIsNotTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.mail.refuse.Store("ops@example.com", 452)
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	next(t, r.mail.tried)
	p.stop(t)
	r.args = append(r.args, "-smtp-to", "new@example.com")
	p = r.start(t)
	p.counts(t, `hookhouse_deliveries{state="ignored",type="notify.mail"} 1`)
	r.deploy(t, deployment(2, kudu.StatusFailed))
	if got := next(t, r.mail.got); got.to[0] != "new@example.com" || !strings.Contains(got.text, "9f2c4f3c2") {
		t.Errorf("mail to %s: %s", got.to, got.text)
	}
	p.stop(t)
}
