package github_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A program finds what GitHub sent while it was down.
func ExampleCatchUp() {
	secret, token := webhook.NewSecret("hook secret"), webhook.NewSecret("github_pat_example")
	var inbox webhook.MemInbox
	source := github.Source(secret)
	receiver := webhook.NewReceiver(source, webhook.Store(&inbox))

	// In a test GitHub is this. A program leaves the Transport of its Client nil.
	down := true
	gh := &githubtest.Server{Token: token, RedeliverAfter: time.Millisecond, Transport: webhooktest.InMemory(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if down {
				http.Error(w, "the proxy has no receiver", http.StatusBadGateway)
				return
			}
			receiver.ServeHTTP(w, r)
		}))}
	gh.AddHook("repos/owner/repo/hooks/1", githubtest.Hook{URL: "https://example.com/hooks/github", Secret: secret})
	gh.Send(context.Background(), "repos/owner/repo/hooks/1", "create", []byte(`{"ref":"v1.2.0","ref_type":"tag"}`))
	down = false

	client, err := github.NewClient("", github.Token(token))
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Transport = webhooktest.InMemory(gh)
	catchUp := github.NewCatchUp(client, github.RepositoryHook("owner", "repo", 1), source, &inbox)
	catchUp.Since = time.Now().Add(-time.Hour) // of the first run; later ones go on
	catchUp.Logger = slog.New(slog.DiscardHandler)

	var mux webhook.Mux
	ctx, cancel := context.WithCancel(context.Background())
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[github.Create]) error {
		fmt.Println("created", e.Payload.RefType, e.Payload.Ref)
		cancel()
		return nil
	})
	done := make(chan error)
	go func() { done <- catchUp.Run(ctx) }() // or as an argument of webhook.Serve
	if err := webhook.NewWorker(&inbox, &mux).Run(ctx); err != nil {
		fmt.Println(err)
	}
	<-done
	// Output: created tag v1.2.0
}
