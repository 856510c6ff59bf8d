package kudu_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

// This program creates a Source, mounts a Receiver for it, receives one call
// and prints its content.
func Example() {
	token := webhook.NewSecret("kJ8sQ2vX5nB7mT4wR9zL3cF6hD1gY0pA") // from the environment in a real program

	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[kudu.Deployment]) error {
		p := e.Payload
		fmt.Println(e.Type, e.OrderingKey)
		fmt.Println(p.Status, "of", p.ID, "by", p.Author, "at", p.EndTime.UTC())
		return nil
	})
	routes := http.NewServeMux()
	routes.Handle("/hooks/kudu/{token}", webhook.NewReceiver(kudu.Source(token), &mux))

	// Kudu makes this call.
	body := `{"id":"9f2c4f3c","status":"failed","author":"Kim Poe","endTime":"2026-03-04T05:07:00Z",` +
		`"complete":true,"siteName":"scale","hostName":"scale-staging.scm.azurewebsites.net"}`
	call := httptest.NewRequest(http.MethodPost, "/hooks/kudu/kJ8sQ2vX5nB7mT4wR9zL3cF6hD1gY0pA", strings.NewReader(body))
	call.Header.Set("Content-Type", "application/json; charset=utf-8")
	answer := httptest.NewRecorder()
	routes.ServeHTTP(answer, call)
	fmt.Println(answer.Code)
	// Output:
	// kudu.PostDeployment scale-staging.scm.azurewebsites.net
	// failed of 9f2c4f3c by Kim Poe at 2026-03-04 05:07:00 +0000 UTC
	// 202
}

// The duration of a run is a string in the format of .NET.
func ExampleTriggeredJobRun_Duration() {
	run := kudu.TriggeredJobRun{JobName: "reweigh", Status: kudu.JobSuccess, TimeSpan: "1.01:01:01.0876544"}
	took, err := run.Duration()
	fmt.Println(run.Status.Succeeded(), took, err)
	// Output:
	// true 25h1m1.0876544s <nil>
}

// A Deployment also decodes an answer of /api/deployments.
func ExampleDeployment_UnmarshalJSON() {
	var d kudu.Deployment
	err := d.UnmarshalJSON([]byte(`{"id":"9f2c4f3c","status":4,"site_name":"scale","is_readonly":true,"active":true}`))
	fmt.Println(d.Status, d.Site(), d.IsReadOnly, d.Active, err)
	// Output:
	// success scale true true <nil>
}

// This program ensures its hooks when it starts, with one URL for each event.
// In production the site is https://app.scm.azurewebsites.net.
func ExampleClient_Ensure() {
	password := webhook.NewSecret("from the publish profile")
	site := httptest.NewServer(&kudutest.Server{User: "$app", Password: password})
	defer site.Close()

	ctx := context.Background()
	client, err := kudu.NewClient(site.URL, kudu.Basic("$app", password))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range []kudu.Hook{
		{URL: "https://hook:kJ8sQ2vX5nB7mT4w@ci.example.com/hooks/kudu/deployments", Event: kudu.EventPostDeployment},
		{URL: "https://hook:kJ8sQ2vX5nB7mT4w@ci.example.com/hooks/kudu/jobs", Event: kudu.EventTriggeredJobFinished},
	} {
		made, err := client.Ensure(ctx, h)
		fmt.Println(made.Event, err)
	}
	hooks, err := client.List(ctx)
	fmt.Println(len(hooks), hooks[0].LastTime.IsZero(), err)

	// Kudu allows one event per URL.
	_, err = client.Subscribe(ctx, kudu.Hook{URL: hooks[0].URL, Event: kudu.EventTriggeredJobFinished})
	fmt.Println(errors.Is(err, kudu.ErrHookConflict))
	// Output:
	// PostDeployment <nil>
	// TriggeredJobFinished <nil>
	// 2 true <nil>
	// true
}
