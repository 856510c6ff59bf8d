package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
)

const notSubscribed = `msg="not subscribed as it should be`

func TestASiteWhoseAPIFailsAtARestartIsStillHeard(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int32{
		"it fails":                   http.StatusInternalServerError,
		"a gateway has no answer":    http.StatusBadGateway,
		"it denies, since yesterday": http.StatusUnauthorized,
		"it is stopped":              http.StatusForbidden,
		"it wants a sign-in":         http.StatusFound,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start(t).stop(t)
			r.siteStatus.Store(status)
			p := r.startUntil(t, notSubscribed)
			p.logs(t, notSubscribed) // and once more
			r.deploy(t, deployment(1, kudu.StatusFailed))
			if got := r.plain.notice(t); got.ID != "9f2c4f3c1" {
				t.Errorf("told of %s", got.ID)
			}
			r.siteStatus.Store(0)
			p.logs(t, subscribed)
			if got := len(r.site.Hooks()); got != 2 {
				t.Errorf("there are %d hooks", got)
			}
			p.stop(t)
		})
	}
}

func TestHooksWithTheOldPasswordAreHeardWhileTheNewOneCannotBeGiven(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(t).stop(t)
	r.siteStatus.Store(http.StatusUnauthorized)
	r.env = append(r.env, "KUDU_WEBHOOK_PASSWORD=n3xt-s3cret-0123456789,"+hookPassword)
	p := r.startUntil(t, notSubscribed)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.plain.notice(t)
	p.stop(t)
}

func TestASiteThatFailsAtTheFirstStartIsSubscribedToWhenItIsWell(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.siteStatus.Store(http.StatusServiceUnavailable)
	p := r.startUntil(t, notSubscribed)
	r.siteStatus.Store(0)
	p.logs(t, subscribed)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.plain.notice(t)
	p.stop(t)
}

func TestASiteIsKnownAgainHoweverItsURLIsSpelt(t *testing.T) {
	t.Parallel()
	for name, spell := range map[string]func(string) string{
		"a slash at the end":      func(url string) string { return url + "/" },
		"a scheme in upper case":  func(url string) string { return strings.Replace(url, "http", "HTTP", 1) },
		"as it was the last time": func(url string) string { return url },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start(t).stop(t)
			before := r.site.Hooks()
			r.args = append(r.args, "-site", spell(r.siteURL), "-url", spell(r.public))
			r.siteStatus.Store(http.StatusUnauthorized)
			p := r.startUntil(t, notSubscribed)
			r.deploy(t, deployment(1, kudu.StatusFailed))
			r.plain.notice(t)
			r.siteStatus.Store(0)
			p.logs(t, subscribed)
			after := r.site.Hooks()
			if len(after) != len(before) || after[0].ID != before[0].ID || after[1].ID != before[1].ID {
				t.Errorf("the hooks were made anew: %v", after)
			}
			p.stop(t)
		})
	}
}

func TestADenialAtTheFirstStartEndsTheProgram(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	deny := func(when string) {
		t.Helper()
		out, status := execute(t, r.env, r.args...)
		if status != statusMend || !strings.Contains(out, "kudu-notify: cannot subscribe at -site: kudu: list hooks: status 401") {
			t.Errorf("%s: exit status %d\n%s", when, status, out)
		}
	}
	r.siteStatus.Store(http.StatusUnauthorized)
	deny("the first start")
	deny("the second, since nothing was subscribed to")
	r.siteStatus.Store(0)
	r.start(t).stop(t)
	// What is known of one site or URL is not held for known of another, and goes
	// with the database.
	r.siteStatus.Store(http.StatusUnauthorized)
	r.args = append(r.args, "-url", r.public+"/behind")
	deny("another URL")
	r.args = append(r.args, "-url", r.public, "-db", filepath.Join(t.TempDir(), "other.db"))
	deny("another database")
}
