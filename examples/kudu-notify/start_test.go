package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	r := newRigAt(t, &kudutest.Server{Token: webhook.NewSecret("token-s3cret")}) // basic authentication is disabled
	r.env = append(r.env, "KUDU_PASSWORD=", "KUDU_TOKEN=token-s3cret")
	p := r.start(t)
	r.deploy(t, deployment(1, kudu.StatusFailed))
	r.urlTarget.notice(t)
	r.slack.message(t)
	next(t, r.mail.accepted)
	for path, want := range map[string]string{
		"/healthz": `"ok":true`,
		"/metrics": `hookhouse_received_total{outcome="accepted",source="kudu",type="kudu.PostDeployment"} 1`,
	} {
		res, err := http.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || !strings.Contains(string(text), want) {
			t.Errorf("%s: %d %v, want %q in\n%s", path, res.StatusCode, err, want, text)
		}
	}
	p.stop(t)
}

func TestInvalidStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/page/") {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, "<html>")
	}))
	defer elsewhere.Close()
	with := func(extra ...string) []string { return append(slices.Clone(r.args), extra...) }
	without := func(flag string, extra ...string) []string { // a flag that may be repeated
		at := slices.Index(r.args, flag)
		return append(slices.Delete(slices.Clone(r.args), at, at+2), extra...)
	}
	set := func(extra ...string) []string { return append(slices.Clone(r.env), extra...) }
	type start struct {
		name string
		env  []string
		args []string
		says string
	}
	for status, starts := range map[int][]start{
		exitConfig: {
			{"an invalid admin address", r.env, with("-admin-addr", "nowhere"), "-admin-addr: "},
			{"no flags", nil, nil, "-site is missing"},
			{"an unknown flag", r.env, with("-x"), "not defined: -x"},
			{"an argument", r.env, with("x"), "only flags are accepted"},
			{"no password for the site", set("KUDU_PASSWORD="), r.args, "set either KUDU_PASSWORD or KUDU_TOKEN"},
			{"both password and token", set("KUDU_TOKEN=s3cret"), r.args, "set either KUDU_PASSWORD or KUDU_TOKEN"},
			{"no user", r.env, without("-user"), "KUDU_PASSWORD requires -user"},
			{"a site twice", r.env, with("-site", r.siteURL+"/"), "is set twice"},
			{"two users for one site", r.env, with("-user", "x"), "2 values of -user for 1 sites"},
			{"two passwords for three sites", set("KUDU_PASSWORD=s3cret\ns3cret"), with("-site", "https://a.example.com", "-site", "https://b.example.com"), "2 values of KUDU_PASSWORD for 3 sites"},
			{"passwords with a comma", set("KUDU_WEBHOOK_PASSWORD=s3cret-0123456789,s3cret-9876543210"), r.args, "written on separate lines"},
			{"a bad mention", r.env, with("-slack-mention", "here, @kim"), `-slack-mention: "@kim" is not`},
			{"no password for the hooks", set("KUDU_WEBHOOK_PASSWORD="), r.args, "export KUDU_WEBHOOK_PASSWORD=$(openssl rand -hex 32)"},
			{"a password that Kudu cannot send", set("KUDU_WEBHOOK_PASSWORD=s3cret:s3cret@s3cret"), r.args, "only letters, digits"},
			{"a short password", set("KUDU_WEBHOOK_PASSWORD=s3cret"), r.args, "secret 1 of 1 has fewer than 16 characters"},
			{"a secret twice", set("SMTP_PASSWORD=s3cret"), r.args, "both SMTP_PASSWORD and SMTP_PASSWORD_FILE"},
			{"a missing file", set("SMTP_PASSWORD_FILE=/nowhere"), r.args, "/nowhere"},
			{"an empty file", set("SMTP_PASSWORD_FILE=/dev/null"), r.args, "/dev/null is empty"},
			{"a site that is not a URL", r.env, without("-site", "-site", "app.scm.azurewebsites.net"), "-site is not a URL"},
			{"a site without TLS", r.env, without("-site", "-site", "http://app.scm.azurewebsites.net"), "-site is not https"},
			{"a public URL with a password", r.env, with("-url", "https://u:s3cret@notify.example.com"), "-url is not a URL"},
			{"no name of a job", r.env, with("-job", "a/b/c"), `-job "a/b/c" is no name of a WebJob`},
			{"a job of another site", r.env, with("-job", "b.example.com/nightly"), "b.example.com is the host of no -site"},
			{"a job twice", r.env, with("-job", "nightly", "-job", "nightly"), "-job nightly is set twice"},
			{"looks too often", r.env, with("-catch-up-every", "1s"), "-catch-up-every must be 0s, or 1m or more"},
			{"an unknown rule", r.env, with("-on", "failure,always"), `-on: "always" is not one of`},
			{"no target", set("SLACK_WEBHOOK_URL=", "NOTIFY_URL=", "SMTP_PASSWORD_FILE="), with("-smtp", "", "-smtp-user", "", "-smtp-from", "", "-smtp-to", ""), "no target"},
			{"mail without a server", r.env, with("-smtp", ""), "require -smtp"},
			{"a server without port", r.env, with("-smtp", "smtp.example.com"), "-smtp \"smtp.example.com\" is not host:port"},
			{"no sender", r.env, with("-smtp-from", ""), "-smtp-from"},
			{"a bad recipient", r.env, with("-smtp-to", "ops@example.com, x"), "-smtp-to"},
			{"a user without password", set("SMTP_PASSWORD_FILE="), r.args, "-smtp-user and SMTP_PASSWORD require each other"},
			{"an invalid Slack URL", set("SLACK_WEBHOOK_URL=hooks.slack.com/s3cret"), r.args, "SLACK_WEBHOOK_URL is not"},
			{"a zero retry delay", r.env, with("-retry", "0s"), "-retry must be greater than 0s"},
			{"a negative block timeout", r.env, with("-block-timeout", "-1s"), "-block-timeout must be from 0s to 1h"},
			{"a too long block timeout", r.env, with("-block-timeout", "12h"), "-block-timeout must be from 0s to 1h"},
			{"a wrong password for the site", set("KUDU_PASSWORD=s3cret"), r.args, "cannot subscribe at -site: kudu: list hooks: status 401"},
			{"a site that is not Kudu", set("KUDU_PASSWORD=s3cret"), without("-site", "-site", elsewhere.URL+"/page"), "cannot subscribe at -site: kudu: list hooks: unexpected answer"},
			{"a site without hooks", set("KUDU_PASSWORD=s3cret"), without("-site", "-site", elsewhere.URL), "status 404"},
			{"unsubscribe with a wrong password", set("KUDU_PASSWORD=s3cret"), with("-unsubscribe"), "cannot list the hooks of -site: kudu: list hooks: status 401"},
		},
		1: { // errors that may be temporary
			{"a database in a missing folder", r.env, with("-db", "/nowhere/x.db"), "-db: "},
			{"a check of a database in a missing folder", r.env, with("-check", "-db", "/nowhere/x.db"), "-db: no file can be created in /nowhere"},
			{"an invalid address", r.env, with("-addr", "nowhere"), "nowhere"},
			{"unsubscribe at an unreachable site", r.env, without("-site", "-unsubscribe", "-site", "http://127.0.0.1:1"), "cannot list the hooks of -site"},
		},
	} {
		for _, tc := range starts {
			t.Run(tc.name, func(t *testing.T) {
				out, got := execute(t, tc.env, tc.args...)
				if got != status || !strings.Contains(out, tc.says) || strings.Contains(out, "s3cret") {
					t.Errorf("exit status %d, want %d; output %s, want %q and no secret", got, status, out, tc.says)
				}
			})
		}
	}
}

func TestServiceDoesNotRestartAfterConfigError(t *testing.T) {
	t.Parallel()
	unit, err := os.ReadFile("kudu-notify.service")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(unit), "\n")
	for _, want := range []string{"Restart=always", fmt.Sprintf("RestartPreventExitStatus=%d", exitConfig)} {
		if !slices.Contains(lines, want) {
			t.Errorf("the unit does not contain %s", want)
		}
	}
}

func TestReadURLNormalizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://app.scm.azurewebsites.net":   "https://app.scm.azurewebsites.net",
		"HTTPS://App.SCM.azurewebsites.net/":  "https://app.scm.azurewebsites.net",
		"https://Notify.example.com:8443//":   "https://notify.example.com:8443",
		"https://notify.example.com/Behind/":  "https://notify.example.com/Behind",
		"https://notify.example.com/a%2FB/c/": "https://notify.example.com/a%2FB/c",
		"http://LocalHost:8080":               "http://localhost:8080",
	} {
		if got, err := readURL("-url", text); err != nil || got != want {
			t.Errorf("%s is read as %q, %v, want %q", text, got, err, want)
		}
	}
}
