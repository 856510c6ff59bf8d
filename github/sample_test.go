package github_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestTheSampleBodiesAreEventsOfGitHub(t *testing.T) {
	src := github.Source(secret)
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		event       string
		body        []byte
		orderingKey string
	}{
		{"push", webhooktest.GitHubPush(), "acme/app refs/heads/main"},
		{"pull_request", webhooktest.GitHubPullRequest(), "acme/app pull/12"},
		{"workflow_run", webhooktest.GitHubWorkflowRun(), "acme/app workflow_run/6200"},
		{"release", webhooktest.GitHubRelease(), "acme/app release/v1.4.0"},
		{"issues", webhooktest.GitHubIssue(), ""},
		{"ping", webhooktest.GitHubPing(), ""},
	} {
		t.Run(tc.event, func(t *testing.T) {
			r := webhooktest.NewRequest(src, "/hooks/github", tc.body, github.EventHeader, tc.event)
			d, err := src.Open(r, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			if d.Type != "github."+tc.event || d.OrderingKey != tc.orderingKey {
				t.Errorf("got type %q and ordering key %q, want %q", d.Type, d.OrderingKey, tc.orderingKey)
			}
			if got := generic(t, tc.body)["repository"].(map[string]any)["full_name"]; got != "acme/app" {
				t.Errorf("got repository %v", got)
			}
			if tc.event == "issues" {
				return // it has no payload type
			}
			p, err := decoders[tc.event](d)
			if err != nil {
				t.Fatal(err)
			}
			kept := 0
			compareKept(t, "", generic(t, tc.body), generic(t, encode(t, p)), &kept)
			if tc.event == "push" || tc.event == "ping" {
				if diff := cmp.Diff(generic(t, tc.body), generic(t, encode(t, p))); diff != "" {
					t.Errorf("decoded and encoded again (-sent +got):\n%s", diff)
				}
			}
		})
	}
}

func TestTheSamplePushIsOneCommitOfABranch(t *testing.T) {
	e, err := webhook.Decode[github.Push](&webhook.Delivery{Source: "github", Body: webhooktest.GitHubPush()})
	if err != nil {
		t.Fatal(err)
	}
	if branch, ok := e.Payload.Branch(); !ok || branch != "main" || len(e.Payload.Commits) != 1 || !e.Payload.CommitsComplete() {
		t.Errorf("got branch %q with %d commits", branch, len(e.Payload.Commits))
	}
}
