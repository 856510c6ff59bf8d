package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
)

const subscriptionFailed = `msg="subscription failed`

func TestEventsAreAcceptedWhileAPIFails(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int32{
		"an internal error":     http.StatusInternalServerError,
		"a gateway error":       http.StatusBadGateway,
		"denied":                http.StatusUnauthorized,
		"the site is stopped":   http.StatusForbidden,
		"a redirect to a login": http.StatusFound,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start(t).stop(t)
			r.siteStatus.Store(status)
			p := r.startUntil(t, subscriptionFailed)
			p.waitForLog(t, subscriptionFailed) // the retry fails too
			r.deploy(t, deployment(1, kudu.StatusFailed))
			if got := r.urlTarget.notice(t); got.ID != "9f2c4f3c1" {
				t.Errorf("the URL received %s", got.ID)
			}
			r.siteStatus.Store(0)
			p.waitForLog(t, subscribed)
			if got := len(r.site.Hooks()); got != 2 {
				t.Errorf("%d hooks, want 2", got)
			}
			p.stop(t)
		})
	}
}

func TestOldPasswordIsAcceptedUntilHooksAreReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(t).stop(t)
	r.siteStatus.Store(http.StatusUnauthorized)
	r.env = append(r.env, "KUDU_WEBHOOK_PASSWORD=n3xt-s3cret-0123456789\n"+hookPassword)
	p := r.startUntil(t, subscriptionFailed)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.urlTarget.notice(t)
	p.stop(t)
}

func TestFirstSubscriptionIsRetried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.siteStatus.Store(http.StatusServiceUnavailable)
	p := r.startUntil(t, subscriptionFailed)
	r.siteStatus.Store(0)
	p.waitForLog(t, subscribed)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.urlTarget.notice(t)
	p.stop(t)
}

func TestSubscriptionIsFoundForEquivalentURL(t *testing.T) {
	t.Parallel()
	for name, spell := range map[string]func(string) string{
		"a trailing slash":       func(url string) string { return url + "/" },
		"a scheme in upper case": func(url string) string { return strings.Replace(url, "http", "HTTP", 1) },
		"the same URL":           func(url string) string { return url },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start(t).stop(t)
			before := r.site.Hooks()
			r.set("-site", spell(r.siteURL))
			r.set("-url", spell(r.public))
			r.siteStatus.Store(http.StatusUnauthorized)
			p := r.startUntil(t, subscriptionFailed)
			r.deploy(t, deployment(1, kudu.StatusFailed))
			r.urlTarget.notice(t)
			r.siteStatus.Store(0)
			p.waitForLog(t, subscribed)
			after := r.site.Hooks()
			if len(after) != len(before) || after[0].ID != before[0].ID || after[1].ID != before[1].ID {
				t.Errorf("the hooks were created again: %v", after)
			}
			p.stop(t)
		})
	}
}

func TestDeniedFirstSubscriptionExits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	deny := func(when string) {
		t.Helper()
		out, status := execute(t, r.env, r.args...)
		if status != exitConfig || !strings.Contains(out, "kudu-notify: cannot subscribe at -site: kudu: list hooks: status 401") {
			t.Errorf("%s: exit status %d\n%s", when, status, out)
		}
	}
	r.siteStatus.Store(http.StatusUnauthorized)
	deny("the first start")
	deny("the second start, still without a subscription")
	r.siteStatus.Store(0)
	r.start(t).stop(t)
	// A subscription counts only for its site and URL, and only in its database.
	r.siteStatus.Store(http.StatusUnauthorized)
	r.args = append(r.args, "-url", r.public+"/behind")
	deny("another URL")
	r.args = append(r.args, "-url", r.public, "-db", filepath.Join(t.TempDir(), "other.db"))
	deny("another database")
}
