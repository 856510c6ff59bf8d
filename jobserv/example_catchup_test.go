package jobserv_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A program finds the builds that were completed while it was down.
func ExampleCatchUp() {
	secret, token := webhook.NewSecret("hook secret"), webhook.NewSecret("a token of the API")
	var inbox webhook.MemInbox
	source := jobserv.Source(secret)

	// In a test JobServ is this. A program leaves the Transport of its Client nil.
	login := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "a page that a proxy shows while the receiver is down")
	})
	hour := time.Now().Add(-time.Hour)
	ci := &jobservtest.Server{Token: token, Transport: webhooktest.InMemory(login), Now: func() time.Time { return hour }}
	ci.AddProject("acme/lmp", jobservtest.Hook{URL: "https://example.com/hooks/jobserv", Secret: secret})
	id := ci.Start("acme/lmp")
	hour = hour.Add(9 * time.Minute)
	ci.Finish(context.Background(), "acme/lmp", id, jobserv.Failed)
	hour = time.Now()

	client, err := jobserv.NewClient(token, "https://api.example.com") // for Foundries.io: "https://api.foundries.io"
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Transport = webhooktest.InMemory(ci)
	catchUp := jobserv.NewCatchUp(client, "acme/lmp", source, &inbox)
	catchUp.Since = time.Now().Add(-24 * time.Hour) // of the first run; later ones go on
	catchUp.Logger = slog.New(slog.DiscardHandler)

	var mux webhook.Mux
	ctx, cancel := context.WithCancel(context.Background())
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[jobserv.Build]) error {
		fmt.Printf("%s #%d: %s\n", e.Payload.Project(), e.Payload.BuildID, e.Payload.Result())
		cancel()
		return nil
	})
	done := make(chan error)
	go func() { done <- catchUp.Run(ctx) }() // or as an argument of webhook.Serve
	if err := webhook.NewWorker(&inbox, &mux).Run(ctx); err != nil {
		fmt.Println(err)
	}
	<-done
	// Output: acme/lmp #1: FAILED
}
