package kudu_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// A program finds the deployment that ended while it was down.
func ExampleCatchUp() {
	var inbox webhook.MemInbox
	source := kudu.Source(webhook.NewSecret("kJ8sQ2vX5nB7mT4w"))
	password := webhook.NewSecret("from the publish profile")

	// In a test the site is this. A program leaves the Transport of its Client nil.
	site := &kudutest.Server{User: "$app", Password: password}
	ended := wire.At(time.Now().UTC())
	site.Record(kudu.Deployment{ID: "9f2c4f3c", Status: kudu.StatusFailed, Complete: true, EndTime: ended, SiteName: "app"})

	client, err := kudu.NewClient("https://app.scm.azurewebsites.net", kudu.Basic("$app", password))
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Transport = webhooktest.InMemory(site)
	catchUp := kudu.NewCatchUp(client, kudu.Deployments(), source, &inbox)
	catchUp.Since = time.Now().Add(-time.Hour) // of the first run; later ones go on
	catchUp.Logger = slog.New(slog.DiscardHandler)

	var mux webhook.Mux
	ctx, cancel := context.WithCancel(context.Background())
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[kudu.Deployment]) error {
		fmt.Println(e.Payload.Site(), e.Payload.Status, e.Payload.ID)
		cancel()
		return nil
	})
	done := make(chan error)
	go func() { done <- catchUp.Run(ctx) }() // or as an argument of webhook.Serve
	if err := webhook.NewWorker(&inbox, &mux).Run(ctx); err != nil {
		fmt.Println(err)
	}
	<-done
	// Output: app.scm.azurewebsites.net failed 9f2c4f3c
}
