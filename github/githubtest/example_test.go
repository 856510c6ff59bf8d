package githubtest_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hookhouse/hookhouse/github/githubtest"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A call that failed is listed with the status of the receiver.
func Example() {
	receiver := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusServiceUnavailable)
	})
	gh := &githubtest.Server{Transport: webhooktest.InMemory(receiver)}
	gh.AddHook("repos/owner/repo/hooks/1", githubtest.Hook{URL: "https://example.com/hooks"})
	gh.Send(context.Background(), "repos/owner/repo/hooks/1", "push", []byte(`{"ref":"refs/heads/main"}`))
	for _, d := range gh.Deliveries("repos/owner/repo/hooks/1") {
		fmt.Println(d.Event, d.StatusCode, d.Status)
	}
	// Output: push 503 Invalid HTTP Response: Service Unavailable
}
