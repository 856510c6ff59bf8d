package main

import (
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// What the tests of the start take of this program.
const (
	name       = "go-github"
	secretName = "GITHUB_WEBHOOK_SECRET"
	hookPath   = "/hooks/github"
)

func TestEventsAreDecodedIntoTheStructsOfGoGithub(t *testing.T) {
	p := start(t, t.TempDir(), secretName+"="+secret)
	sender := webhooktest.GitHub{Secret: webhook.NewSecret(secret)}
	for _, call := range []struct{ event, body, want string }{
		{
			"issues", `{"action":"opened","issue":{"number":7,"title":"The door is stuck","user":{"login":"ada"}},"repository":{"full_name":"acme/app"}}`,
			`"acme/app" #7 opened by "ada": "The door is stuck"`,
		},
		{"issues", `{"action":"closed","issue":{"number":7},"repository":{"full_name":"acme/app"}}`, ""},
		{"pull_request_review", `{"action":"submitted","review":{"id":1,"state":"approved"},"repository":{"full_name":"acme/app"}}`, ""},
		{"push", `{"ref":"refs/heads/main","repository":{"full_name":"acme/app"}}`, ""},
		{
			"pull_request_review", `{"action":"submitted","review":{"id":2,"state":"changes_requested","body":"Add a test.","user":{"login":"grace"}},` +
				`"pull_request":{"number":8},"repository":{"full_name":"acme/app"}}`,
			`"acme/app" #8: "grace" asks for changes: "Add a test."`,
		},
	} {
		if sent := sender.Deliver(t.Context(), p.url+"/hooks/github", call.event, []byte(call.body)); !sent.Delivered {
			t.Fatalf("%s is not accepted: %+v", call.event, sent)
		}
		if call.want == "" {
			continue // the next line shows that nothing was printed
		}
		if got := p.next(t); got != call.want {
			t.Fatalf("the program printed %q, want %q", got, call.want)
		}
	}
	forged := webhooktest.GitHub{Secret: webhook.NewSecret("guessed")}
	if sent := forged.Deliver(t.Context(), p.url+"/hooks/github", "issues", []byte(`{"action":"opened"}`)); sent.Delivered {
		t.Error("a call with another secret is accepted")
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("the program printed %q, want no more", got)
	}
}
