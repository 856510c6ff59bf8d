package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
)

func TestTestNotice(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-test", "-slack-mention", "channel", "-smtp-to", "Ops <ops@example.com>, dev@example.com")
	out, status := execute(t, r.env, r.args...)
	if status != 0 || strings.Count(out, "msg=sent target=") != 4 || strings.Contains(out, "s3cret") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if got := r.slack.message(t).Text; got != ":bell: kudu-notify: test notice" {
		t.Errorf("Slack received %q", got)
	}
	if got := r.urlTarget.notice(t); got.What != trial || got.Subject != "kudu-notify" {
		t.Errorf("the URL received %+v", got)
	}
	for range 2 {
		if got := next(t, r.mail.accepted).mail.Header.Get("Subject"); got != "kudu-notify: test notice" {
			t.Errorf("mail of %q", got)
		}
	}
	if n := len(r.site.Hooks()); n > 0 {
		t.Errorf("-test created %d hooks", n)
	}
	// One target that fails does not hide that the others work.
	r.env = append(r.env, "SMTP_PASSWORD_FILE=", "SMTP_PASSWORD=wrong-s3cret")
	out, status = execute(t, r.env, r.args...)
	if status != 1 || strings.Count(out, "msg=sent target=") != 2 || strings.Count(out, "@example.com: SMTP AUTH failed") != 2 || strings.Contains(out, "s3cret") {
		t.Errorf("with a wrong password: exit status %d\n%s", status, out)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-check", "-addr", "nowhere") // it does not listen
	out, status := execute(t, r.env, r.args...)
	if status != 0 || strings.Count(out, "msg=fine") != 3 || strings.Contains(out, "s3cret") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if _, err := os.Stat(r.args[3]); !os.IsNotExist(err) || len(r.site.Hooks()) > 0 || len(r.mail.attempts) > 0 {
		t.Errorf("-check left something: %v, %d hooks, %d mails", err, len(r.site.Hooks()), len(r.mail.attempts))
	}
	r.env = append(r.env, "SMTP_PASSWORD_FILE=", "SMTP_PASSWORD=wrong-s3cret", "KUDU_PASSWORD=wrong-s3cret")
	out, status = execute(t, r.env, r.args...)
	if status != exitConfig || !strings.Contains(out, "-smtp: SMTP AUTH failed") || !strings.Contains(out, "status 401") || strings.Contains(out, "s3cret") {
		t.Errorf("with wrong passwords: exit status %d\n%s", status, out)
	}
	if out, status := execute(t, nil, "-version"); status != 0 || !strings.HasPrefix(out, "kudu-notify ") {
		t.Errorf("-version: exit status %d, %s", status, out)
	}
}

func TestAdminAddressAndWrongPath(t *testing.T) {
	t.Parallel()
	r := newRig(t, "-admin-addr", "127.0.0.1:0")
	p := r.startUntil(t, listening)
	p.waitForLog(t, subscribed)
	admin := p.admin
	for url, want := range map[string]int{
		p.url + "/healthz": 404, p.url + "/metrics": 404, p.url + "/hooks/kudu/deploymnets/" + hookPassword: 404,
		admin + "/healthz": 200, admin + "/metrics": 200, admin + "/hooks/kudu/jobs": 404,
	} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", url, res.StatusCode, want)
		}
	}
	for _, name := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(r.args[3] + name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s%s: %v, %v, want mode 0600", filepath.Base(r.args[3]), name, info, err)
		}
	}
	p.stop(t)
	for _, want := range []string{"path=/hooks/kudu/... ", "live=1"} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("the log does not contain %q:\n%s", want, p.log)
		}
	}
}

// While a target is down, only the oldest notice of a site is tried.
func TestBlockedNoticesCostNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.start(t)
	r.slack.status.Store(http.StatusServiceUnavailable)
	const notices = 40
	for n := range notices {
		d := deployment(n%60, kudu.StatusFailed)
		r.deploy(t, d)
		r.urlTarget.notice(t)
	}
	for range 5 {
		next(t, r.slack.requests)
	}
	r.slack.status.Store(0)
	for range notices {
		r.slack.message(t)
	}
	p.waitForMetric(t, `hookhouse_attempts_total{state="done",type="notify.slack"} 40`)
	p.stop(t)
	tried := make(map[string]bool)
	for line := range strings.Lines(p.log.String()) {
		if _, rest, ok := strings.Cut(line, "level=WARN msg=\"delivery will be tried again\" delivery.uid="); ok {
			tried[strings.Fields(rest)[0]] = true
		}
	}
	if len(tried) != 1 {
		t.Errorf("%d notices were tried while the first one failed", len(tried))
	}
}
