package github_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ typ, body, want string }{
		{"github.push", string(webhooktest.GitHubPush()), "push of 1 commit to acme/app main by janeroe"},
		{"github.push", `{"ref":"refs/heads/a/b","commits":[{},{},{}],"forced":true,"repository":{"full_name":"acme/app"},"pusher":{"name":"jane"}}`, "forced push of 3 commits to acme/app a/b by jane"},
		{"github.push", `{"ref":"refs/tags/v1","repository":{"full_name":"acme/app"},"pusher":{"name":"jane"}}`, "push of the tag acme/app v1 by jane"},
		{"github.push", `{"ref":"refs/heads/old","deleted":true,"repository":{"full_name":"acme/app"}}`, "deletion of acme/app old"},
		{"github.pull_request", string(webhooktest.GitHubPullRequest()), "pull request #12 opened in acme/app by janeroe: Remember the user"},
		{"github.workflow_run", string(webhooktest.GitHubWorkflowRun()), "workflow run 40 of test on main completed success in acme/app by janeroe"},
		{"github.release", string(webhooktest.GitHubRelease()), "release v1.4.0 published in acme/app by janeroe"},
		{"github.issues", string(webhooktest.GitHubIssue()), "issues #13 opened in acme/app by janeroe: The login page is blank"},
		{"github.ping", string(webhooktest.GitHubPing()), "ping in acme/app by janeroe"},
		{"github.novelty", `{"action":"made","issue":"none","release":7,"repository":{"full_name":"acme/app"}}`, "novelty made in acme/app"},
		{"github.push", "[]", ""},
		{"github.push", "{", ""},
		{"shop.push", "{}", ""},
	} {
		if got := github.Summary(&webhook.Delivery{Type: tt.typ, Body: []byte(tt.body)}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.typ, got, tt.want)
		}
	}
	form := &webhook.Delivery{
		Type: "github.push", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte("payload=" + url.QueryEscape(string(webhooktest.GitHubPush()))),
	}
	if got := github.Summary(form); got != "push of 1 commit to acme/app main by janeroe" {
		t.Errorf("a form: %q", got)
	}
}
