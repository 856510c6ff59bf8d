package github_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/internal/catchup/catchuptest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestTheRightThatIsMissingIsNamed(t *testing.T) {
	right, wrong := webhook.NewSecret("token"), webhook.NewSecret("another")
	repository, organization := github.RepositoryHook("acme", "app", 7), github.OrganizationHook("acme", 9)
	for _, tt := range []struct {
		name      string
		gh        *githubtest.Server
		hook      github.HookRef
		redeliver bool
		want      error
		text      string
	}{
		{"all rights", &githubtest.Server{}, repository, true, nil, ""},
		{"a wrong token", &githubtest.Server{Token: wrong}, repository, true, github.ErrDenied, "wrong or have expired"},
		{"no such hook, or no right to see it", &githubtest.Server{}, github.RepositoryHook("acme", "app", 8), true, github.ErrHookNotFound, `"Webhooks" (read)`},
		{"no right to write", &githubtest.Server{ReadOnly: true}, repository, true, github.ErrDenied, `repository permission "Webhooks" (write)`},
		{"no right to write, which is not needed", &githubtest.Server{ReadOnly: true}, repository, false, nil, ""},
		{"no right to write hooks of the organization", &githubtest.Server{ReadOnly: true}, organization, true, github.ErrDenied, `organization permission "Webhooks" (write)`},
		{"a classic token", &githubtest.Server{Scopes: "gist, write:repo_hook"}, repository, true, nil, ""},
		{"a classic token with all", &githubtest.Server{Scopes: "repo"}, repository, true, nil, ""},
		{"a classic token that may read", &githubtest.Server{Scopes: "read:repo_hook, gist", ReadOnly: true}, repository, true, github.ErrDenied, "write:repo_hook"},
		{"a classic token for an organization", &githubtest.Server{Scopes: "repo", ReadOnly: true}, organization, true, github.ErrDenied, "admin:org_hook"},
		{"no hook", &githubtest.Server{}, github.HookRef{}, true, nil, "zero HookRef"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gh := tt.gh
				if gh.Token.IsZero() {
					gh.Token = right
				}
				gh.AddHook(hookPath, githubtest.Hook{URL: "http://receiver/"})
				gh.AddHook("orgs/acme/hooks/9", githubtest.Hook{URL: "http://receiver/"})
				client, err := github.NewClient("", github.Token(right))
				if err != nil {
					t.Fatal(err)
				}
				client.Transport = webhooktest.InMemory(gh)
				err = client.CheckHook(t.Context(), tt.hook, tt.redeliver)
				if (err == nil) != (tt.want == nil && tt.text == "") || tt.want != nil && !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.text) {
					t.Errorf("got %v, want %v with %q", err, tt.want, tt.text)
				}
				if n := len(gh.Deliveries(hookPath)); n > 0 {
					t.Errorf("%d calls were made", n)
				}
			})
		})
	}
}

func TestACheckThatGetsNoAnswerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newCatchUpRig(t)
		for n := range 2 { // the list fails, or what follows it
			asked := 0
			g.client.Transport = catchuptest.Transport(func(r *http.Request) (*http.Response, error) {
				if asked++; asked > n {
					g.gh.Fail(1, githubtest.Failure{Status: http.StatusBadGateway})
				}
				return webhooktest.InMemory(g.gh).RoundTrip(r)
			})
			if err := g.client.CheckHook(t.Context(), github.RepositoryHook("acme", "app", 7), true); !errors.Is(err, github.ErrServer) {
				t.Errorf("failure %d: got %v, want ErrServer", n, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.client.CheckHook(ctx, github.RepositoryHook("acme", "app", 7), true); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
	})
}
