package kudu_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/kudu/kudutest"
	"github.com/hookhouse/hookhouse/webhook"
)

// A program that starts sees to its hooks: one URL for each event. In real life
// the site is https://app.scm.azurewebsites.net.
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

	// Kudu has one event a URL.
	_, err = client.Subscribe(ctx, kudu.Hook{URL: hooks[0].URL, Event: kudu.EventTriggeredJobFinished})
	fmt.Println(errors.Is(err, kudu.ErrHookConflict))
	// Output:
	// PostDeployment <nil>
	// TriggeredJobFinished <nil>
	// 2 true <nil>
	// true
}
