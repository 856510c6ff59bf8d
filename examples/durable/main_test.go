package main

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// What the tests of the start take of this program.
const (
	name       = "durable"
	secretName = "GITHUB_WEBHOOK_SECRET"
	hookPath   = "/hooks/github"
)

func TestPushIsDeployedOnce(t *testing.T) {
	dir, env := t.TempDir(), "GITHUB_WEBHOOK_SECRET="+secret
	body := []byte(`{"ref":"refs/heads/main","after":"9f3c1d7","repository":{"full_name":"acme/app"}}`)
	sender := webhooktest.GitHub{Secret: webhook.NewSecret(secret)}

	p := start(t, dir, env)
	first := sender.Deliver(t.Context(), p.url+"/hooks/github", "push", body)
	if !first.Delivered {
		t.Fatal("first.Delivered is false, want true")
	}
	if got := p.next(t); got != "deploy \"acme/app\" \"main\" \"9f3c1d7\"" {
		t.Fatalf("p.next() = %q, want \"deploy \"acme/app\" \"main\" \"9f3c1d7\"\"", got)
	}
	res, err := http.Get(p.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("res.StatusCode = %d, want %d", res.StatusCode, http.StatusOK)
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("p.stop(syscall.SIGTERM) = %v, want empty", got)
	}

	p = start(t, dir, env)
	again := sender.Redeliver(t.Context(), first.GUID, p.url+"/hooks/github", "push", body)
	if !again.Delivered {
		t.Fatal("again.Delivered is false, want true")
	}
	ping := sender.Deliver(t.Context(), p.url+"/hooks/github", "ping", []byte(`{"zen":"x"}`))
	if !ping.Delivered {
		t.Fatal("ping.Delivered is false, want true")
	}
	next := sender.Deliver(t.Context(), p.url+"/hooks/github", "push", []byte(`{"ref":"refs/heads/main","after":"a11ce00","repository":{"full_name":"acme/app"}}`))
	if !next.Delivered {
		t.Fatal("next.Delivered is false, want true")
	}
	if got := p.next(t); got != "deploy \"acme/app\" \"main\" \"a11ce00\"" {
		t.Fatalf("the duplicate must not run: p.next() = %q, want \"deploy \"acme/app\" \"main\" \"a11ce00\"\"", got)
	}
	if got := p.stop(t, syscall.SIGTERM); len(got) != 0 {
		t.Fatalf("p.stop(syscall.SIGTERM) = %v, want empty", got)
	}
}
