package kudutest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// In this example a program subscribes itself, a deployment fails, and the
// program receives it.
func Example() {
	var site kudutest.Server
	server := httptest.NewServer(&site)
	defer server.Close()

	// The program under test.
	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[kudu.Deployment]) error {
		fmt.Println(e.Payload.Site(), e.Payload.Status)
		return nil
	})
	program := httptest.NewServer(webhook.NewReceiver(kudu.Source(webhook.NewSecret("kJ8sQ2vX5nB7mT4w")), &mux))
	defer program.Close()
	ctx := context.Background()
	hook := kudu.Hook{URL: program.URL + "/?token=kJ8sQ2vX5nB7mT4w", Event: kudu.EventPostDeployment}
	client, err := kudu.NewClient(server.URL, nil)
	if err == nil {
		_, err = client.Ensure(ctx, hook)
	}
	if err != nil {
		fmt.Println(err)
	}

	deliveries, err := site.Deploy(ctx, kudu.Deployment{
		ID: "9f2c4f3c", Status: kudu.StatusFailed, Complete: true,
		EndTime:  wire.At(time.Date(2026, 3, 4, 5, 7, 0, 0, time.UTC)),
		SiteName: "scale", HostName: "scale-staging.scm.azurewebsites.net",
	})
	fmt.Println(len(deliveries), deliveries[0].Result.Attempts[0].Status == http.StatusAccepted, err)
	fmt.Println(*site.Hooks()[0].LastStatus)
	// Output:
	// scale-staging.scm.azurewebsites.net failed
	// 1 true <nil>
	// Accepted
}
