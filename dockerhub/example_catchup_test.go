package dockerhub_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/dockerhub/dockerhubtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A program finds the image that was pushed while it was down.
func ExampleCatchUp() {
	var inbox webhook.MemInbox
	source := dockerhub.Source(webhook.NewSecret("kJ8sQ2vX5nB7mT4w"))
	source.Coalesce = webhook.Coalesce{} // at once

	// In a test the registry is this. A program leaves the Transport of its Client nil.
	hub := new(dockerhubtest.Server)
	hub.Push("acme/app:latest", "kim", "the image")
	client := dockerhub.NewClient("", webhook.Secret{})
	client.Transport = webhooktest.InMemory(hub)

	catchUp := dockerhub.NewCatchUp(client, "acme/app", []dockerhub.Tag{"latest"}, source, &inbox)
	catchUp.Logger = slog.New(slog.DiscardHandler)
	var mux webhook.Mux
	ctx, cancel := context.WithCancel(context.Background())
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[dockerhub.Push]) error {
		fmt.Println("deploy", e.Payload.Image(), "pushed by", e.Payload.PushData.Pusher)
		fmt.Printf("%.19s\n", e.Header.Get(dockerhub.DigestHeader))
		cancel()
		return nil
	})
	done := make(chan error)
	go func() { done <- catchUp.Run(ctx) }() // or as an argument of webhook.Serve
	if err := webhook.NewWorker(&inbox, &mux).Run(ctx); err != nil {
		fmt.Println(err)
	}
	<-done
	// Output:
	// deploy acme/app:latest pushed by kim
	// sha256:97e9d7a16021
}
