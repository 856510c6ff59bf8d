package jobservtest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/jobserv/jobservtest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A build is listed, whether the receiver got the call or not.
func Example() {
	receiver := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("called with", r.Header.Get("X-JobServ-Sig")[:7])
	})
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	ci := &jobservtest.Server{Transport: webhooktest.InMemory(receiver), Now: func() time.Time { return now }}
	ci.AddProject("acme/lmp", jobservtest.Hook{URL: "https://example.com/hooks", Secret: webhook.NewSecret("secret")})
	id := ci.Start("acme/lmp")
	now = now.Add(time.Minute)
	ci.Finish(context.Background(), "acme/lmp", id, jobserv.Passed)

	client, err := jobserv.NewClient(webhook.Secret{}, "https://api.example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Transport = webhooktest.InMemory(ci)
	runs, err := client.Runs(context.Background(), jobserv.Build{BuildURL: buildURL})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(runs[0].Name, runs[0].Status, runs[0].Completed.UTC())
	// Output:
	// called with sha256:
	// build PASSED 2026-03-02 10:01:00 +0000 UTC
}
